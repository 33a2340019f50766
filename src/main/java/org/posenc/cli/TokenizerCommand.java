package org.posenc.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.posenc.checkpoint.BytePairEncoding;
import org.posenc.training.TextCorpus;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code posenc tokenizer}: learns a tokenizer from text. */
@Command(
        name = "tokenizer",
        description =
                "Learns a byte-level BPE tokenizer from text and writes it as Hugging Face's"
                        + " tokenizer.json.",
        mixinStandardHelpOptions = true)
final class TokenizerCommand implements Callable<Integer> {

    @Option(
            names = "--text",
            required = true,
            arity = "1..*",
            paramLabel = "FILE|DIR",
            description = "What to learn from: text files, or folders of them.")
    private List<Path> text;

    @Option(
            names = "--vocabulary",
            paramLabel = "N",
            defaultValue = "1024",
            description = "The number of tokens, at least 256 (default: ${DEFAULT-VALUE}).")
    private int vocabulary;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            defaultValue = "tokenizer.json",
            description = "The file to write (default: ${DEFAULT-VALUE}).")
    private Path out;

    @Spec private CommandSpec spec;

    /** Learns and writes. */
    @Override
    public Integer call() throws IOException {
        TextCorpus corpus = TextCorpus.read(text);
        BytePairEncoding encoding = BytePairEncoding.learn(corpus.documents(), vocabulary);
        encoding.write(out);
        PrintWriter print = spec.commandLine().getOut();
        print.printf(
                "%s: %d tokens from %d documents, %,d characters%n",
                out, encoding.vocabulary().size(), corpus.documents().size(), corpus.characters());
        print.flush();
        return 0;
    }
}
