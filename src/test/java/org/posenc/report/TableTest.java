package org.posenc.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TableTest {

    private static ResultRow trial(String encoding, int seed, Double loss) {
        return new ResultRow(
                encoding + seed,
                Map.of("encoding", encoding),
                loss == null ? Map.of() : Map.of("loss", loss, "time", 10.0 * seed));
    }

    private static final List<Column> COLUMNS =
            List.of(
                    Column.label("encoding"),
                    Column.value("loss", "nats", 3),
                    Column.value("time", "s", 0));

    private static final List<ResultRow> TRIALS =
            List.of(
                    trial("rope", 1, 3.0),
                    trial("t5", 1, 1.0),
                    trial("rope", 2, 4.0),
                    trial("rope", 3, 8.0),
                    trial("none", 1, null));

    @Test
    void summarisesTheSeedsOfEachEncoding() {
        Table table = Table.summary("losses", COLUMNS, TRIALS);
        // statistics.stdev([3, 4, 8]) of Python.
        assertThat(((Measurement) table.rows().get(0).get(1)).spread())
                .isCloseTo(2.6457513110645907, within(1e-15));
        assertThat(table.toText(100))
                .isEqualTo(
                        """
                        encoding    loss (nats)  time (s)
                        ────────  ─────────────  ────────
                        rope      5.000 ± 2.646   20 ± 10
                        t5                1.000        10
                        none                  –         –
                        """);
    }

    @Test
    void writesCsvThatReadsBack() {
        Table table =
                new Table(
                        "t",
                        List.of(Column.label("a,b"), Column.value("x", "s", 1)),
                        List.of(
                                List.of(
                                        new Cell.Text("say \"hi\",\nthen go"),
                                        Measurement.of(1, 2)),
                                List.of(new Cell.Text("plain é"), Measurement.of(1 / 3.0)),
                                List.of(new Cell.Text(""), Measurement.of())));
        assertThat(table.toCsv())
                .isEqualTo(
                        "\"a,b\",x (s),x spread\r\n"
                                + "\"say \"\"hi\"\",\nthen go\",1.5,0.7071067811865476\r\n"
                                + "plain é,0.3333333333333333,\r\n"
                                + ",,\r\n");
    }

    @Test
    void noLineIsWiderThanTheTerminal() {
        List<Column> columns =
                IntStream.range(0, 14)
                        .mapToObj(
                                i ->
                                        i == 0
                                                ? Column.label("encoding")
                                                : Column.value("quantity " + i, "nats", 4))
                        .toList();
        List<List<Cell>> rows =
                List.of("ro\u0301pe 位置 " + "x".repeat(90), "t5").stream()
                        .map(
                                name ->
                                        IntStream.range(0, 14)
                                                .<Cell>mapToObj(
                                                        i ->
                                                                i == 0
                                                                        ? new Cell.Text(name)
                                                                        : Measurement.of(
                                                                                i * 1e3, i * 1e4))
                                                .toList())
                        .toList();
        Table table = new Table("wide", columns, rows);
        for (int width : new int[] {40, 80, 100}) {
            assertThat(table.toText(width).lines())
                    .allSatisfy(
                            line ->
                                    assertThat(Table.displayWidth(line))
                                            .isLessThanOrEqualTo(width));
        }
        // Every quantity is there in one block or another.
        assertThat(table.toText(100)).contains("quantity 1 (nats)", "quantity 13 (nats)");
        assertThat(Table.displayWidth("o\u0301 位置")).isEqualTo(6);
    }

    @Test
    void refusesRowsThatDoNotFit() {
        assertThatThrownBy(() -> new Table("t", COLUMNS, List.of(List.of(new Cell.Text("a")))))
                .hasMessage("a row must have 3 cells, one a column, got 1");
    }
}
