package org.posenc.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonParser;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.posenc.testing.Chromium;

class HtmlPageTest {

    private static final String EVIL =
            "</script><script>document.title='hacked'</script><img src=x onerror=\"alert(1)\">"
                    + "'\"&\u2028{a}";

    private static final Pattern DATA =
            Pattern.compile(
                    "<script type=\"application/json\"[^>]*>(.*?)</script>", Pattern.DOTALL);

    @TempDir private Path folder;

    private static HtmlPage evilPage() {
        BufferedImage dot = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB);
        return HtmlPage.builder()
                .title(EVIL)
                .lead(EVIL)
                .card(EVIL, EVIL, EVIL)
                .section(
                        EVIL,
                        EVIL,
                        new LineChart(
                                EVIL,
                                Axis.categories(EVIL, List.of(EVIL, "b")),
                                Axis.linear(EVIL),
                                List.of(Series.of(EVIL, new double[] {0, 1}, new double[] {1, 2}))),
                        new ScatterChart(
                                EVIL,
                                Axis.log(EVIL),
                                Axis.log(EVIL),
                                List.of(new ScatterChart.Point(EVIL, 1, 2))),
                        new HeatMap(
                                EVIL,
                                EVIL,
                                EVIL,
                                new double[][] {{0, Double.NaN}},
                                0,
                                1,
                                ColourMap.VIRIDIS,
                                List.of(EVIL),
                                List.of(EVIL)),
                        new ImageGrid(EVIL, List.of(new ImageGrid.Picture(EVIL, EVIL, dot))),
                        new Table(
                                EVIL,
                                List.of(new Column(EVIL, EVIL, EVIL, -1)),
                                List.of(List.of(new Cell.Text(EVIL)))))
                .provenance(
                        new Provenance(
                                EVIL,
                                1,
                                Map.of(EVIL, EVIL),
                                Map.of(),
                                EVIL,
                                Optional.of(EVIL),
                                Demo.provenance().date()))
                .build();
    }

    @Test
    void holdsItsDataAsJson() {
        for (HtmlPage page : List.of(Demo.page(), evilPage())) {
            Matcher data = DATA.matcher(page.html());
            assertThat(data.results().map(found -> found.group(1)))
                    .hasSizeGreaterThan(3)
                    .allSatisfy(json -> JsonParser.parseString(json))
                    .noneMatch(json -> json.contains("<") || json.contains("\u2028"));
        }
    }

    @Test
    void whatThereIsToSeeStandsAboveItsFigure() {
        String sentence = "a sentence of a row that is too long for one line of a table";
        Table table =
                new Table(
                        "table",
                        List.of(Column.label("name")),
                        List.of(List.of(new Cell.Text(sentence)), List.of(new Cell.Text("short"))));
        String html =
                HtmlPage.builder()
                        .title("title")
                        .section(
                                "heading",
                                "text",
                                List.of(
                                        new Explained(table, "1 < 2: look"),
                                        new Explained(table, "")))
                        .build()
                        .html();
        assertThat(html)
                .containsOnlyOnce("<p>1 &lt; 2: look</p>\n<figure class=\"table\">")
                .contains("<th scope=\"row\" class=\"sentence\">" + sentence)
                .contains("<th scope=\"row\">short");
        assertThat(html.split("<figure ")).hasSize(3);
    }

    @Test
    @Tag("browser")
    void aBrowserDrawsEveryChart() throws Exception {
        Chromium.assumeInstalled();
        Path file = folder.resolve("page.html");
        // A reader sorts the table by its last column and opens the data of the first chart.
        String reader =
                "<script>[...document.querySelectorAll('thead button')].at(-1).click();"
                        + "document.querySelector('details.data').open = true;</script></body>\n</html>";
        AtomicFile.write(file, Demo.page().html().replace("</body>\n</html>", reader));
        Chromium.Page page = Chromium.open(file, folder);
        assertThat(page.console()).isEmpty();
        assertThat(page.dom()).contains("data-ready=\"3\"");
        String[] charts = page.dom().split("<div class=\"chart\"");
        assertThat(charts).hasSize(4);
        for (int i = 1; i < charts.length; i++) {
            String figure = charts[i].substring(0, charts[i].indexOf("</figure>"));
            assertThat(figure).contains("<svg");
            assertThat(figure.split("<path ")).hasSizeGreaterThan(8);
        }
        // Six heat maps, six images, and a bar of colours below each heat map.
        assertThat(page.dom().split("src=\"data:image/png;base64,")).hasSize(1 + 6 + 6 + 6);
        String withoutScripts = page.dom().replaceAll("(?s)<script>.*?</script>", "");
        // Of the table alone: AssertJ copies the rest of the text at every character it looks at.
        String rows = withoutScripts.substring(withoutScripts.lastIndexOf("<tbody>"));
        assertThat(rows.substring(0, rows.indexOf("</tbody>")))
                .containsSubsequence("alibi", "t5", "none", "learned");
        assertThat(page.dom()).containsPattern("<pre[^>]*>\\{\"name\":\"none\"");
        assertThat(withoutScripts).doesNotContainPattern("(src|href)=\"(https?:)?//");
        assertThat(withoutScripts).doesNotContainPattern("url\\((?!#)|@import");
    }

    /** Of perplexities from 3 to 45 with a band up to 70, which the axis has room for. */
    @Test
    @Tag("browser")
    void aBrowserLabelsALogarithmicAxisAtPowersOfTwo() throws Exception {
        Chromium.assumeInstalled();
        Series line =
                new Series(
                        "rope",
                        List.of(64.0, 256.0, 1024.0),
                        List.of(3.4, 12.0, 45.0),
                        List.of(0.1, 1.0, 25.0));
        LineChart chart =
                new LineChart("lines", Axis.log("tokens"), Axis.log("perplexity"), List.of(line));
        Path file = folder.resolve("log.html");
        HtmlPage.builder()
                .title("log")
                .lead("log")
                .section("log", "log", chart)
                .build()
                .write(file);
        String dom = Chromium.open(file, folder).dom();
        String figure = dom.substring(dom.indexOf("<svg"), dom.indexOf("</svg>"));
        List<String> texts =
                Pattern.compile("<text[^>]*>([^<]*)</text>")
                        .matcher(figure)
                        .results()
                        .map(match -> match.group(1))
                        .filter(text -> text.matches("[\\d.,]+"))
                        .toList();
        assertThat(texts)
                .containsExactlyInAnyOrder(
                        "64", "128", "256", "512", "1024", "4", "8", "16", "32", "64");
    }

    @Test
    @Tag("browser")
    void aBrowserTakesTextAsText() throws Exception {
        Chromium.assumeInstalled();
        Path file = folder.resolve("evil.html");
        evilPage().write(file);
        Chromium.Page page = Chromium.open(file, folder);
        assertThat(page.console()).isEmpty();
        assertThat(page.dom())
                .contains("data-ready=\"2\"")
                .doesNotContain("<title>hacked")
                .doesNotContain("<img src=\"x\"");
    }

    @Test
    void everyPictureHasAText() {
        String html = Demo.page().html().replaceAll("(?s)<script>.*?</script>", "");
        assertThat(html)
                .contains(
                        "<img alt=\"sinusoidal: 64 by 64 values from -1 to 1, query position down");
        assertThat(html).doesNotContainPattern("<img (?!alt=)");
        assertThat(html).doesNotContainPattern("class=\"chart\"(?! role=\"img\" aria-label=\"\\w)");
    }

    @Test
    void needsATitle() {
        assertThatThrownBy(() -> HtmlPage.builder().build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a page needs a title");
    }
}
