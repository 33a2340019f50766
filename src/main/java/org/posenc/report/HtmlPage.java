package org.posenc.report;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * One HTML file with everything in it: it opens from a disk, without a network, on a phone, in the
 * dark and on paper. Charts are drawn by <a href="https://echarts.apache.org">Apache ECharts</a>
 * from data that stands in the page.
 *
 * <pre>{@code
 * HtmlPage.builder()
 *         .title("Which encoding?")
 *         .lead("Take RoPE.")
 *         .card("best at 8×", "rope", "3.21 nats")
 *         .section("Length", "Loss against context length.", chart)
 *         .provenance(provenance)
 *         .write(Path.of("report.html"));
 * }</pre>
 */
public final class HtmlPage {

    private final String html;

    private HtmlPage(Builder builder) {
        html = builder.render();
    }

    /**
     * Returns a builder.
     *
     * @return an empty page
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the page.
     *
     * @return the whole file
     */
    public String html() {
        return html;
    }

    /**
     * Writes the page.
     *
     * @param path the file
     * @throws IllegalArgumentException if the place cannot be written to
     */
    public void write(Path path) {
        AtomicFile.write(path, html);
    }

    /** What goes on a page, from top to bottom. */
    public static final class Builder {

        private String title;
        private String lead = "";
        private Provenance provenance;
        private final List<String> cards = new ArrayList<>();
        private final List<Section> sections = new ArrayList<>();

        private record Section(String heading, String text, List<Explained> figures) {

            String id(int index) {
                return "section-" + index;
            }
        }

        private Builder() {}

        /**
         * Sets the title.
         *
         * @param text the question that the page answers
         * @return this builder
         */
        public Builder title(String text) {
            title = text;
            return this;
        }

        /**
         * Sets what to take away.
         *
         * @param text the answer, one paragraph
         * @return this builder
         */
        public Builder lead(String text) {
            lead = text;
            return this;
        }

        /**
         * Adds a key figure.
         *
         * @param label what it is
         * @param value the figure
         * @param note a few words about it; may be empty
         * @return this builder
         */
        public Builder card(String label, String value, String note) {
            cards.add(
                    "<div class=\"card\"><dt>%s</dt><dd>%s<small>%s</small></dd></div>"
                            .formatted(Html.escape(label), Html.escape(value), Html.escape(note)));
            return this;
        }

        /**
         * Adds a section.
         *
         * @param heading its heading
         * @param text what its figures show and how to read them, about two sentences; each line is
         *     a paragraph
         * @param figures the figures; small ones stand side by side
         * @return this builder
         */
        public Builder section(String heading, String text, Figure... figures) {
            return section(
                    heading,
                    text,
                    Arrays.stream(figures).map(figure -> new Explained(figure, "")).toList());
        }

        /**
         * Adds a section whose figures are explained one by one.
         *
         * @param heading its heading
         * @param text what its figures have in common
         * @param figures the figures with what there is to see in them
         * @return this builder
         */
        public Builder section(String heading, String text, List<Explained> figures) {
            sections.add(new Section(heading, text, List.copyOf(figures)));
            return this;
        }

        /**
         * Sets where the results come from.
         *
         * @param origin the provenance, shown at the foot
         * @return this builder
         */
        public Builder provenance(Provenance origin) {
            provenance = origin;
            return this;
        }

        /**
         * Makes the page.
         *
         * @return the page
         * @throws IllegalArgumentException if it has no title
         */
        public HtmlPage build() {
            if (title == null || title.isBlank()) {
                throw new IllegalArgumentException("a page needs a title");
            }
            return new HtmlPage(this);
        }

        /**
         * Makes and writes the page.
         *
         * @param path the file
         * @throws IllegalArgumentException if it has no title or the place cannot be written to
         */
        public void write(Path path) {
            build().write(path);
        }

        private String render() {
            StringBuilder page = new StringBuilder(1 << 21);
            page.append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
                    .append("<meta name=\"viewport\" content=\"width=device-width, ")
                    .append(
                            "initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">")
                    .append("\n<title>")
                    .append(Html.escape(title))
                    .append("</title>\n<style>\n")
                    .append(resource("page.css"))
                    .append("</style>\n</head>\n<body>\n<main>\n<header>\n<h1>")
                    .append(Html.escape(title))
                    .append("</h1>\n");
            if (!lead.isBlank()) {
                page.append("<p class=\"lead\">").append(Html.escape(lead)).append("</p>\n");
            }
            if (!cards.isEmpty()) {
                page.append("<dl class=\"cards\">").append(String.join("", cards));
                page.append("</dl>\n");
            }
            page.append("</header>\n");
            contents(page);
            for (int i = 0; i < sections.size(); i++) {
                section(page, sections.get(i), i);
            }
            page.append("</main>\n");
            if (provenance != null) {
                footer(page);
            }
            return page.append("<script>")
                    .append(resource("echarts.min.js"))
                    .append("</script>\n<script>\n")
                    .append(resource("page.js"))
                    .append("</script>\n</body>\n</html>\n")
                    .toString();
        }

        private void contents(StringBuilder page) {
            if (sections.size() < 3) {
                return;
            }
            page.append("<nav aria-label=\"Sections\">");
            for (int i = 0; i < sections.size(); i++) {
                page.append("<a href=\"#%s\">".formatted(sections.get(i).id(i)))
                        .append(Html.escape(sections.get(i).heading()))
                        .append("</a>");
            }
            page.append("</nav>\n");
        }

        private static void section(StringBuilder page, Section section, int index) {
            page.append("<section id=\"%s\">\n<h2>".formatted(section.id(index)))
                    .append(Html.escape(section.heading()))
                    .append("</h2>\n");
            section.text()
                    .lines()
                    .forEach(
                            paragraph ->
                                    page.append("<p>")
                                            .append(Html.escape(paragraph))
                                            .append("</p>\n"));
            page.append("<div class=\"figures\">\n");
            for (Explained explained : section.figures()) {
                if (!explained.text().isBlank()) {
                    page.append("<p>").append(Html.escape(explained.text())).append("</p>\n");
                }
                page.append(explained.figure().toHtml()).append('\n');
            }
            page.append("</div>\n</section>\n");
        }

        private void footer(StringBuilder page) {
            page.append("<footer>\n<h2>How to get this again</h2>\n<pre><code>")
                    .append(Html.escape(provenance.command()))
                    .append("</code></pre>\n<dl>");
            JsonObject data = new JsonObject();
            for (Map.Entry<String, String> field : provenance.fields().entrySet()) {
                data.addProperty(field.getKey(), field.getValue());
                if (!field.getKey().equals("command")) {
                    page.append("<div><dt>")
                            .append(Html.escape(field.getKey()))
                            .append("</dt><dd>")
                            .append(Html.escape(field.getValue()))
                            .append("</dd></div>");
                }
            }
            page.append("</dl>\n<script type=\"application/json\" id=\"provenance\">")
                    .append(Html.json(data))
                    .append("</script>\n</footer>\n");
        }
    }

    private static String resource(String name) {
        try (InputStream in = HtmlPage.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("org/posenc/report/" + name + " is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
