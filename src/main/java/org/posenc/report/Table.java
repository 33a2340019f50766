package org.posenc.report;

import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A table of results: for the terminal, as CSV, in a page, as a picture.
 *
 * @param title what it shows
 * @param columns the columns, at least one
 * @param rows the rows, each with a cell a column
 */
public record Table(String title, List<Column> columns, List<List<Cell>> rows) implements Figure {

    private static final String GAP = "  ";
    private static final int LONGEST_NAME = 40; // characters; what is longer may break on a page

    /** Checks and copies the values. */
    public Table {
        columns = List.copyOf(columns);
        rows = rows.stream().map(List::copyOf).toList();
        if (columns.isEmpty()) {
            throw new IllegalArgumentException("a table must have at least one column");
        }
        for (List<Cell> row : rows) {
            if (row.size() != columns.size()) {
                throw new IllegalArgumentException(
                        "a row must have "
                                + columns.size()
                                + " cells, one a column, got "
                                + row.size());
            }
        }
    }

    /**
     * Summarises trials: rows with equal labels (in the label columns) become one, whose quantities
     * are mean ± spread over them.
     *
     * @param title what the table shows
     * @param columns label columns, which group, and value columns
     * @param results the trials
     * @return a row a group, in the order of their first trials; a missing quantity is NaN
     */
    public static Table summary(String title, List<Column> columns, List<ResultRow> results) {
        Map<List<String>, List<ResultRow>> groups =
                results.stream()
                        .collect(
                                Collectors.groupingBy(
                                        row ->
                                                columns.stream()
                                                        .filter(c -> !c.isNumeric())
                                                        .map(c -> label(row, c))
                                                        .toList(),
                                        LinkedHashMap::new,
                                        Collectors.toList()));
        List<List<Cell>> rows =
                groups.values().stream()
                        .map(group -> columns.stream().map(c -> summary(group, c)).toList())
                        .toList();
        return new Table(title, columns, rows);
    }

    private static String label(ResultRow row, Column column) {
        return row.labels().getOrDefault(column.name(), "");
    }

    private static Cell summary(List<ResultRow> group, Column column) {
        if (!column.isNumeric()) {
            return new Cell.Text(label(group.get(0), column));
        }
        return Measurement.of(
                group.stream()
                        .filter(row -> row.values().containsKey(column.name()))
                        .mapToDouble(row -> row.values().get(column.name()))
                        .toArray());
    }

    /**
     * Returns the table for a terminal. Columns that do not fit go into further blocks below, each
     * led by the first column.
     *
     * @param width the columns of the terminal, at least 20
     * @return aligned lines, each ended by a line feed and none wider
     */
    public String toText(int width) {
        if (width < 20) {
            throw new IllegalArgumentException("width must be at least 20, got " + width);
        }
        int[] widths =
                IntStream.range(0, columns.size())
                        .map(c -> Math.min(naturalWidth(c), width / 2 - GAP.length()))
                        .toArray();
        StringBuilder text = new StringBuilder();
        int next = 1;
        do {
            List<Integer> block = new ArrayList<>(List.of(0));
            int used = widths[0];
            while (next < columns.size() && used + GAP.length() + widths[next] <= width) {
                used += GAP.length() + widths[next];
                block.add(next++);
            }
            if (!text.isEmpty()) {
                text.append('\n');
            }
            line(text, block, widths, columns.stream().map(Column::title).toList());
            text.append(block.stream().map(c -> "─".repeat(widths[c])).collect(joining()))
                    .append('\n');
            for (int row = 0; row < rows.size(); row++) {
                line(text, block, widths, texts(row));
            }
        } while (next < columns.size());
        return text.toString();
    }

    private static java.util.stream.Collector<CharSequence, ?, String> joining() {
        return Collectors.joining(GAP);
    }

    private int naturalWidth(int column) {
        int widest = displayWidth(columns.get(column).title());
        for (int row = 0; row < rows.size(); row++) {
            widest = Math.max(widest, displayWidth(texts(row).get(column)));
        }
        return widest;
    }

    private List<String> texts(int row) {
        return IntStream.range(0, columns.size())
                .mapToObj(c -> rows.get(row).get(c).text(columns.get(c).decimals()))
                .toList();
    }

    private void line(StringBuilder text, List<Integer> block, int[] widths, List<String> cells) {
        String line =
                block.stream()
                        .map(c -> fit(cells.get(c), widths[c], columns.get(c).isNumeric()))
                        .collect(joining());
        text.append(line.stripTrailing()).append('\n');
    }

    private static String fit(String cell, int width, boolean right) {
        String one = cell.replaceAll("\\p{Cntrl}", " ");
        if (displayWidth(one) > width) {
            int[] points = one.codePoints().toArray();
            int kept = points.length;
            while (displayWidth(new String(points, 0, kept)) > width - 1) {
                kept--;
            }
            one = new String(points, 0, kept) + "…";
        }
        String space = " ".repeat(width - displayWidth(one));
        return right ? space + one : one + space;
    }

    /** Returns the columns a terminal gives a text: none to accents, two to East Asian letters. */
    static int displayWidth(String text) {
        return text.codePoints()
                .map(
                        point ->
                                switch (Character.getType(point)) {
                                    case Character.NON_SPACING_MARK,
                                            Character.ENCLOSING_MARK,
                                            Character.FORMAT ->
                                            0;
                                    default -> isWide(point) ? 2 : 1;
                                })
                .sum();
    }

    private static boolean isWide(int point) {
        return point >= 0x1100 && point <= 0x115f
                || point >= 0x2e80 && point <= 0xa4cf
                || point >= 0xac00 && point <= 0xd7a3
                || point >= 0xf900 && point <= 0xfaff
                || point >= 0xfe30 && point <= 0xfe6f
                || point >= 0xff00 && point <= 0xff60
                || point >= 0xffe0 && point <= 0xffe6
                || point >= 0x1f300 && point <= 0x1faff
                || point >= 0x20000 && point <= 0x3fffd;
    }

    /**
     * Returns the table as CSV (RFC 4180) in full precision: a quantity takes two fields, its mean
     * and its spread.
     *
     * @return the lines, the first with the headings, each ended by CR LF
     */
    public String toCsv() {
        StringBuilder csv = new StringBuilder();
        csvLine(
                csv,
                columns.stream()
                        .flatMap(
                                c ->
                                        c.isNumeric()
                                                ? List.of(c.title(), c.heading() + " spread")
                                                        .stream()
                                                : List.of(c.title()).stream())
                        .toList());
        for (List<Cell> row : rows) {
            List<String> fields = new ArrayList<>();
            for (int c = 0; c < columns.size(); c++) {
                if (row.get(c) instanceof Measurement m) {
                    fields.add(Double.isNaN(m.mean()) ? "" : Double.toString(m.mean()));
                    fields.add(m.count() > 1 ? Double.toString(m.spread()) : "");
                } else {
                    fields.add(row.get(c).text(0));
                    if (columns.get(c).isNumeric()) {
                        fields.add("");
                    }
                }
            }
            csvLine(csv, fields);
        }
        return csv.toString();
    }

    private static void csvLine(StringBuilder csv, List<String> fields) {
        csv.append(fields.stream().map(Table::csvField).collect(Collectors.joining(",")))
                .append("\r\n");
    }

    private static String csvField(String field) {
        boolean quoted = field.chars().anyMatch(c -> ",\"\r\n".indexOf(c) >= 0);
        return quoted ? '"' + field.replace("\"", "\"\"") + '"' : field;
    }

    /**
     * Writes the table as CSV.
     *
     * @param path the file
     * @throws IllegalArgumentException if the place cannot be written to
     */
    public void writeCsv(Path path) {
        AtomicFile.write(path, toCsv());
    }

    @Override
    public BufferedImage toImage() {
        int line = 34;
        int gap = 28;
        Font font = Canvas.font(Font.PLAIN, 16);
        FontMetrics metrics = Canvas.metrics(font);
        int[] widths =
                IntStream.range(0, columns.size())
                        .map(
                                c -> {
                                    int widest = metrics.stringWidth(columns.get(c).title());
                                    for (int row = 0; row < rows.size(); row++) {
                                        widest =
                                                Math.max(
                                                        widest,
                                                        metrics.stringWidth(texts(row).get(c)));
                                    }
                                    return widest + gap;
                                })
                        .toArray();
        int width =
                Math.max(
                        IntStream.of(widths).sum() + 40,
                        Canvas.metrics(Canvas.font(Font.BOLD, 18)).stringWidth(title) + 60);
        BufferedImage image = Canvas.blank(width, (rows.size() + 1) * line + 80);
        Graphics2D g = Canvas.graphics(image);
        Canvas.title(g, title, 30, 36);
        g.setFont(font);
        int y = 82;
        g.setColor(Canvas.MUTED);
        row(g, columns.stream().map(Column::title).toList(), widths, gap, y);
        for (int row = 0; row < rows.size(); row++) {
            g.setColor(Canvas.GRID);
            g.drawLine(30, y + 11, width - 30, y + 11);
            y += line;
            g.setColor(Color.BLACK);
            row(g, texts(row), widths, gap, y);
        }
        g.dispose();
        return image;
    }

    private void row(Graphics2D g, List<String> cells, int[] widths, int gap, int y) {
        int x = 30;
        for (int c = 0; c < widths.length; c++) {
            int own = g.getFontMetrics().stringWidth(cells.get(c));
            boolean right = columns.get(c).isNumeric();
            g.drawString(cells.get(c), right ? x + widths[c] - gap - own : x, y);
            x += widths[c];
        }
    }

    @Override
    public String toHtml() {
        StringBuilder html = new StringBuilder("<figure class=\"table\">");
        html.append("<figcaption>").append(Html.escape(title)).append("</figcaption>");
        html.append("<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>");
        for (Column column : columns) {
            html.append("<th scope=\"col\"")
                    .append(column.isNumeric() ? " class=\"number\"" : "")
                    .append("><button type=\"button\">")
                    .append(Html.escape(column.heading()))
                    .append("</button>")
                    .append(
                            column.unit().isEmpty()
                                    ? ""
                                    : "<small>" + Html.escape(column.unit()) + "</small>")
                    .append("</th>");
        }
        html.append("</tr></thead><tbody>");
        for (int row = 0; row < rows.size(); row++) {
            html.append("<tr>");
            for (int c = 0; c < columns.size(); c++) {
                html.append(cell(rows.get(row).get(c), columns.get(c), c == 0));
            }
            html.append("</tr>");
        }
        return html.append("</tbody></table></div></figure>").toString();
    }

    private static String cell(Cell cell, Column column, boolean first) {
        String text = Html.escape(cell.text(column.decimals()));
        if (cell instanceof Measurement m) {
            // The spread steps back, so that the eye compares means.
            String[] parts = text.split(" ± ");
            String shown = parts.length == 2 ? parts[0] + "<i> ± " + parts[1] + "</i>" : text;
            return "<td class=\"number\" data-value=\"" + m.mean() + "\">" + shown + "</td>";
        }
        String swatch =
                first && Palette.knows(text)
                        ? "<b class=\"swatch\" style=\"background:"
                                + Palette.of(text).hex()
                                + "\"></b>"
                        : "";
        if (!first) {
            return "<td>" + text + "</td>";
        }
        // A sentence may break, a name must not.
        String sentence = text.length() > LONGEST_NAME ? " class=\"sentence\"" : "";
        return "<th scope=\"row\"" + sentence + ">" + swatch + text + "</th>";
    }
}
