package org.posenc.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.posenc.encoding.Alibi;
import org.posenc.encoding.Encodings;
import org.posenc.report.Npy;
import org.posenc.testing.Goldens;

class EncodeAndAnalyzeTest {

    /** What these do depends on the tokens, which the command line does not have. */
    private static final Set<String> OF_CONTENT = Set.of("fox", "cope");

    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource({
        "gau_1d_sigma0.02,  gaussian --set sigma=0.02",
        "gau_1d_sigma0.05,  gaussian --set sigma=0.05",
        "tri_1d_w1over16,   triangle --set width=0.0625",
        "tri_1d_w2over16,   triangle --set width=0.125",
        "gau_3d_simple,     gaussian",
        "tri2_2d_simple,    triangle",
    })
    void shiftedBasesEqualTheAuthorsEmbeddings(String file, String options) throws IOException {
        JsonObject golden = Goldens.read("shifted-basis/" + file + ".json");
        long[] shape = Goldens.shape(golden.get("embedding"));
        JsonObject params = golden.getAsJsonObject("params");
        String set = "";
        if (!options.contains("--set")) {
            set = params.has("sigma") ? " --set sigma=" + params.get("sigma") : "";
            set = params.has("w") ? " --set width=" + params.get("w") : set;
        }
        Path points = folder.resolve("points.txt");
        Files.writeString(points, lines(golden.get("positions")));
        JsonObject result =
                json(
                        ("encode --coordinates unit --dimension "
                                        + shape[1]
                                        + " --encoding "
                                        + options
                                        + set
                                        + " --positions")
                                .split(" "),
                        points.toString());
        double norm = golden.get("max_row_norm").getAsDouble(); // of the authors' rows
        double[] expected =
                Arrays.stream(Goldens.flat(golden.get("embedding"))).map(e -> e * norm).toArray();
        assertThat(Goldens.flat(result.get("features")))
                .containsExactly(expected, Offset.offset(1e-12));
        assertThat(Goldens.flat(result.get("positions")))
                .containsExactly(Goldens.flat(golden.get("positions")));
        assertThat(Goldens.flat(result.get("shape"))).containsExactly(shape[0], shape[1]);
        assertThat(result.get("dtype").getAsString()).isEqualTo("float64");

        JsonObject analysis =
                json(
                        ("analyze --coordinates unit --dimension "
                                        + shape[1]
                                        + " --encoding "
                                        + options
                                        + set
                                        + " --positions")
                                .split(" "),
                        points.toString());
        assertThat(analysis.get("stable_rank").getAsDouble())
                .isCloseTo(golden.get("stable_rank").getAsDouble(), Offset.offset(1e-12));
        assertThat(analysis.get("numerical_rank").getAsInt())
                .isEqualTo(golden.get("numerical_rank").getAsInt());
    }

    /** The stable rank of the authors' circulant, measured and in closed form. */
    @Test
    void theClosedFormStandsBesideWhatWasMeasured() {
        String[] line = {
            "analyze",
            "--encoding=gaussian",
            "--set=sigma=0.05",
            "--set=periodic=true",
            "--dimension=64",
            "--positions=0:1:0.0625"
        };
        JsonObject result = json(line);
        double expected =
                Goldens.read("shifted-basis/identity_simple_vs_complex.json")
                        .getAsJsonArray("rows")
                        .get(0)
                        .getAsJsonArray()
                        .get(1)
                        .getAsDouble();
        JsonObject closed = result.getAsJsonObject("closed_form");
        assertThat(result.get("stable_rank").getAsDouble())
                .isCloseTo(expected, Offset.offset(1e-9));
        assertThat(closed.get("stable_rank").getAsDouble())
                .isCloseTo(expected, Offset.offset(1e-9));
        assertThat(closed.get("stable_rank_limit").getAsDouble())
                .isCloseTo(10 / Math.sqrt(Math.PI), Offset.offset(1e-12));
        assertThat(closed.get("half_width").getAsDouble())
                .isCloseTo(0.1 * Math.sqrt(Math.log(10)), Offset.offset(1e-12));
        line[5] = "--positions=0,0.1,0.5"; // no grid, of which nothing is known in closed form
        assertThat(json(line).has("closed_form")).isFalse();
    }

    @Test
    void sinusoidsEqualTheReferenceInBothFormats() {
        int compared = 0;
        for (JsonObject c : Goldens.cases("encodings/sinusoidal.json")) {
            JsonObject params = c.getAsJsonObject("params");
            JsonObject outputs = c.getAsJsonObject("outputs");
            if (!outputs.has("vaswani_interleaved")) {
                continue;
            }
            double[] expected = Goldens.flat(outputs.get("vaswani_interleaved"));
            String[] line = {
                "encode",
                "--encoding=sinusoidal",
                "--coordinates=tokens",
                "--dimension=" + params.get("d"),
                "--set=base=" + params.get("base"),
                "--positions=" + list(c.getAsJsonObject("inputs").get("positions"))
            };
            assertThat(Goldens.flat(json(line).get("features")))
                    .containsExactly(expected, Offset.offset(1e-12));
            Path file = folder.resolve("features.npy");
            assertThat(run(line, "--out", file.toString(), "--dtype=float32").out()).isEmpty();
            Npy array = Npy.read(file);
            assertThat(array.type()).isEqualTo("<f4");
            assertThat(array.values()).containsExactly(expected, Offset.offset(1e-6));
            compared++;
        }
        assertThat(compared).isPositive();
    }

    /** The bytes that numpy.save writes for the same array. */
    @Test
    void npyFilesAreNumpys() throws IOException {
        Path file = folder.resolve("new/bias.npy");
        Console.run("encode", "--encoding=alibi", "--heads=2", "--positions=0:3", "--out=" + file);
        byte[] bytes = Files.readAllBytes(file);
        String header = new String(bytes, 10, 118, StandardCharsets.ISO_8859_1);
        assertThat(Arrays.copyOf(bytes, 10))
                .containsExactly(0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 118, 0);
        assertThat(header)
                .startsWith("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3, 3), }  ")
                .endsWith(" \n");
        assertThat(bytes).hasSize(128 + 2 * 3 * 3 * 8);
        double[] slopes = Alibi.slopes(2);
        assertThat(Npy.read(file).values()[2]).isEqualTo(-2 * slopes[0]);
        assertThat(Npy.read(file).values()[9 + 3]).isEqualTo(-slopes[1]);
    }

    @Test
    void ropeIsATableOfCosinesAndSines() {
        JsonObject rope = json("encode --encoding rope --dimension 4 --positions 0,1.5".split(" "));
        assertThat(Goldens.flat(rope.get("frequencies")))
                .containsExactly(new double[] {1, 0.01}, Offset.offset(1e-15));
        double[] expected = {
            1, 0, 1, 0, Math.cos(1.5), Math.sin(1.5), Math.cos(0.015), Math.sin(0.015)
        };
        assertThat(Goldens.flat(rope.get("cos_sin")))
                .containsExactly(expected, Offset.offset(1e-15));
    }

    @Test
    void everyEncodingEncodesAndIsAnalysed() {
        for (String name : Encodings.names()) {
            String options =
                    " --encoding "
                            + name
                            + " --dimension 12 --seed 3 --positions 0:6"
                            + (name.equals("xpos") ? " --causal" : "");
            if (OF_CONTENT.contains(name)) {
                Console refused = Console.run(("encode" + options).split(" "));
                refused.assertBadInput();
                assertThat(refused.err()).contains(name + " has no numbers to write");
            } else {
                JsonObject encoded = json(("encode" + options).split(" "));
                assertThat(encoded.get("encoding").getAsString()).isEqualTo(name);
                assertThat(encoded.get("seed").getAsLong()).isEqualTo(3);
                assertThat(json(("encode" + options).split(" "))).as(name).isEqualTo(encoded);
            }
            JsonObject analysis = json(("analyze" + options).split(" "));
            assertThat(analysis.get("stable_rank").getAsDouble()).as(name).isBetween(1.0, 6.0);
            assertThat(Goldens.shape(analysis.get("similarity"))).containsExactly(6, 6);
        }
    }

    @Test
    void analysesWithAPicture() throws IOException {
        Path picture = folder.resolve("rope.png");
        Path out = folder.resolve("rope.json");
        Console console =
                Console.run(
                        "analyze",
                        "--encoding=rope",
                        "--dimension=16",
                        "--positions=0:64",
                        "--no-matrix",
                        "--picture=" + picture,
                        "--out=" + out);
        assertThat(console.code()).as(console.err()).isZero();
        assertThat(console.out()).isEmpty();
        JsonObject analysis = JsonParser.parseString(Files.readString(out)).getAsJsonObject();
        assertThat(analysis.has("similarity")).isFalse();
        assertThat(analysis.get("seam").getAsString()).isEqualTo("rotate");
        double[] mean = Goldens.flat(analysis.getAsJsonObject("curve_mean").get("similarity"));
        double expected = 0;
        for (int i = 0; i < 8; i++) {
            expected += Math.cos(10 * Math.pow(10_000, -i / 8.0)) / 8;
        }
        assertThat(mean[10]).isCloseTo(expected, Offset.offset(1e-12));
        assertThat(ImageIO.read(picture.toFile()).getWidth()).isGreaterThan(1000);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactlyInAnyOrder(picture, out);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "encode --encoding sinusoidel --positions 0",
                "encode --encoding sinusoidal",
                "encode --encoding sinusoidal --positions 0,NaN",
                "encode --encoding sinusoidal --positions 0,,1",
                "encode --encoding sinusoidal --positions 1e999",
                "encode --encoding sinusoidal --positions 5:5",
                "encode --encoding sinusoidal --positions 0:9:0",
                "encode --encoding sinusoidal --positions nowhere.txt",
                "encode --encoding sinusoidal --positions src",
                "encode --encoding sinusoidal --positions 0 --dimension 7",
                "encode --encoding sinusoidal --positions 0 --dimension -2",
                "encode --encoding sinusoidal --positions 0 --dimension many",
                "encode --encoding sinusoidal --positions 0 --set basis=3",
                "encode --encoding sinusoidal --positions 0 --set base=minus",
                "encode --encoding sinusoidal --positions 0 --set base",
                "encode --encoding sinusoidal --positions 0 --dtype bfloat16",
                "encode --encoding sinusoidal --positions 0 --out features.csv",
                "encode --encoding sinusoidal --positions 0 --out pom.xml/features.json",
                "encode --encoding sinusoidal --positions 0 --device gpu:99",
                "encode --encoding sinusoidal --positions 0 --device tpu",
                "encode --encoding learned --positions 0,0.5",
                "encode --encoding learned --positions 0:9 --length 4",
                "encode --encoding rope --positions 0 --dimension 3",
                "analyze --encoding gaussian --positions 0:4 --set sigma=-1",
                "analyze --encoding gaussian --positions 0:4 --picture chart.jpg",
            })
    void badInputIsOneSentence(String line) {
        Console.run(line.split(" ")).assertBadInput();
    }

    @Test
    void badPointsAreOneSentence() throws IOException {
        Path ragged = folder.resolve("ragged.txt");
        Files.writeString(ragged, "0 1\n2\n");
        Path empty = folder.resolve("empty.txt");
        Files.writeString(empty, "\n");
        Path plane = folder.resolve("plane.txt");
        Files.writeString(plane, "0 1\n2 3\n");
        for (Path file : new Path[] {ragged, empty}) {
            Console console = Console.run("encode", "--encoding=gaussian", "--positions=" + file);
            console.assertBadInput();
        }
        Console rope = Console.run("encode", "--encoding=rope", "--positions=" + plane);
        rope.assertBadInput();
        assertThat(rope.err()).contains("one number each");
    }

    private static Console run(String[] line, String... more) {
        String[] all =
                Stream.concat(Arrays.stream(line), Arrays.stream(more)).toArray(String[]::new);
        Console console = Console.run(all);
        assertThat(console.code()).as(console.err()).isZero();
        assertThat(console.err()).isEmpty();
        return console;
    }

    private static JsonObject json(String[] line, String... more) {
        return JsonParser.parseString(run(line, more).out()).getAsJsonObject();
    }

    private static String list(JsonElement positions) {
        return Arrays.stream(Goldens.flat(positions))
                .mapToObj(Double::toString)
                .collect(Collectors.joining(","));
    }

    private static String lines(JsonElement positions) {
        StringBuilder text = new StringBuilder();
        for (JsonElement point : positions.getAsJsonArray()) {
            text.append(list(point).replace(',', ' ')).append('\n');
        }
        return text.toString();
    }
}
