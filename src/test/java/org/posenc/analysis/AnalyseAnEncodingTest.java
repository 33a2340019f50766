package org.posenc.analysis;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class AnalyseAnEncodingTest {

    @Test
    void theExampleAgreesWithTheory() throws ReflectiveOperationException {
        Method main = Class.forName("AnalyseAnEncoding").getMethod("main", String[].class);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream standard = System.out;
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            main.invoke(null, (Object) new String[0]);
        } finally {
            System.setOut(standard);
        }
        List<String> rows = bytes.toString(StandardCharsets.UTF_8).lines().skip(1).toList();
        assertThat(rows).hasSize(3);
        for (String row : rows) {
            String[] cells = row.split(" +");
            // A line has ends where the circle of the theory has none.
            assertThat(number(cells[1])).isCloseTo(number(cells[2]), Percentage.withPercentage(10));
            assertThat(number(cells[3])).isCloseTo(number(cells[4]), Percentage.withPercentage(10));
        }
    }

    private static double number(String cell) {
        return Double.parseDouble(cell.replace(',', '.'));
    }
}
