package org.posenc.experiment.extrapolation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.posenc.encoding.NoEncoding;
import org.posenc.kernel.CrossEntropy;
import org.posenc.model.Transformer;
import org.posenc.model.TransformerConfig;
import org.posenc.testing.FreshJvm;
import org.posenc.training.SequenceBatches.Sequence;

/** Answers counted in batches against each sequence read by itself. */
class AnswersTest {

    private static final int VOCABULARY = 11;

    private static Transformer decoder(NDManager manager, int vocabulary) {
        TransformerConfig config =
                TransformerConfig.builder()
                        .setVocabulary(vocabulary)
                        .setEmbeddingSize(8)
                        .setLayers(1)
                        .setHeads(2)
                        .optSeed(3)
                        .build();
        Transformer decoder = new Transformer(config, new NoEncoding());
        decoder.initialize(manager, DataType.FLOAT32, new Shape(1, 1));
        return decoder;
    }

    /** The likeliest token after each, of all scores of one sequence. */
    private static long[] likeliest(Transformer decoder, int[] ids, NDManager manager) {
        NDArray row = manager.create(ids).toType(DataType.INT64, false).reshape(1, ids.length);
        ParameterStore parameters = new ParameterStore(manager, false);
        NDArray logits = decoder.forward(parameters, new NDList(row), false).head();
        return logits.argMax(2).toLongArray();
    }

    @Test
    void rightLabelsAndFaultlessSequencesAreCounted() throws Exception {
        SplittableRandom random = new SplittableRandom(4);
        try (NDManager manager = NDManager.newBaseManager()) {
            Transformer decoder = decoder(manager, VOCABULARY);
            List<Sequence> sequences = new ArrayList<>();
            int right = 0;
            int labels = 0;
            int faultless = 0;
            for (int s = 0; s < 23; s++) {
                int[] ids = random.ints(random.nextInt(2, 12), 0, VOCABULARY).toArray();
                long[] said = likeliest(decoder, ids, manager);
                long[] wanted = new long[ids.length];
                int begin = random.nextInt(ids.length); // labels stand in the middle, and at ends
                boolean whole = true;
                for (int i = 0; i < ids.length; i++) {
                    boolean counts = i == begin || i > begin && random.nextInt(3) > 0;
                    boolean hit = random.nextInt(4) > 0;
                    wanted[i] =
                            counts ? (said[i] + (hit ? 0 : 1)) % VOCABULARY : CrossEntropy.IGNORED;
                    labels += counts ? 1 : 0;
                    right += counts && hit ? 1 : 0;
                    whole &= hit || !counts;
                }
                faultless += whole ? 1 : 0;
                sequences.add(new Sequence(ids, wanted));
            }
            assertThat(faultless).isBetween(5, 18);
            for (int rows : new int[] {1, 4, 23, 50}) {
                Answers found = Answers.of(Reader.of(decoder), sequences, rows, manager);
                assertThat(found.exact()).isCloseTo(faultless / 23.0, Offset.offset(1e-12));
                assertThat(found.token()).isCloseTo((double) right / labels, Offset.offset(1e-12));
            }
        }
    }

    /** Four contexts over a large vocabulary have scores of 1.6 GB, of which 4 rows are read. */
    @Test
    void scoresOfTheContextNeverExist() throws Exception {
        assumeTrue(Files.exists(Path.of("/proc/self/clear_refs")), "the system tells no peak");
        assertThat(Integer.parseInt(FreshJvm.run(Passkeys.class))).isLessThan(200_000);
    }

    /** Prints the kilobytes that it takes to ask for four passkeys. */
    static final class Passkeys {

        public static void main(String[] arguments) throws Exception {
            int[] text = new SplittableRandom(1).ints(2000, 0, 100_000).toArray();
            Passkey passkey = Passkey.ofRareTokens(100_000, text);
            List<Sequence> asked = new ArrayList<>();
            SplittableRandom random = new SplittableRandom(2);
            for (int i = 0; i < 4; i++) {
                asked.add(passkey.question(random, text, 1000, 0.5));
            }
            try (NDManager manager = NDManager.newBaseManager()) {
                Reader reader = Reader.of(decoder(manager, 100_000));
                Answers.of(reader, asked, 1, manager); // loads kernels
                System.out.println(
                        FreshJvm.peakKilobytes(() -> Answers.of(reader, asked, 4, manager)));
            }
        }
    }
}
