package org.posenc.cli;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.concurrent.CancellationException;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** What an exception becomes: a sentence on the error stream and an exit code. */
final class Failures {

    /** What shells report for a program that Control-C ended. */
    static final int INTERRUPTED = 130;

    private Failures() {}

    /** An option that is unknown, missing or unreadable. */
    static int ofParameters(ParameterException e, String[] args) {
        String sentence = e.getMessage();
        if (e instanceof UnmatchedArgumentException unmatched) {
            var suggestions = unmatched.getSuggestions();
            if (!suggestions.isEmpty()) {
                sentence += ": did you mean " + String.join(" or ", suggestions) + "?";
            }
        }
        return badInput(e.getCommandLine(), sentence);
    }

    /** A command that failed while it ran. */
    static int ofExecution(Exception e, CommandLine command, ParseResult parsed) {
        Throwable cause = e instanceof UncheckedIOException wrapped ? wrapped.getCause() : e;
        if (cause instanceof InterruptedException
                || cause instanceof CancellationException
                || cause instanceof ClosedByInterruptException) {
            say(command, "interrupted; what was finished is kept");
            return INTERRUPTED;
        }
        if (cause instanceof IllegalArgumentException) {
            return badInput(command, cause.getMessage());
        }
        if (cause instanceof IOException io) {
            return badInput(command, sentence(io));
        }
        say(command, "internal error, please report it with the lines below");
        PrintWriter err = command.getErr();
        e.printStackTrace(err);
        err.flush();
        return ExitCode.SOFTWARE;
    }

    private static int badInput(CommandLine command, String sentence) {
        say(command, sentence);
        return ExitCode.USAGE;
    }

    private static void say(CommandLine command, String sentence) {
        String oneLine = String.valueOf(sentence).replaceAll("\\s*\\R\\s*", " ");
        PrintWriter err = command.getErr();
        err.println(command.getCommandSpec().qualifiedName() + ": " + oneLine);
        err.flush();
    }

    /** The exceptions of java.nio say in their class what is wrong, and in their message where. */
    private static String sentence(IOException e) {
        if (e instanceof NoSuchFileException) {
            return "there is no " + e.getMessage();
        }
        if (e instanceof AccessDeniedException) {
            return "no permission to use " + e.getMessage();
        }
        if (e instanceof FileAlreadyExistsException) {
            return e.getMessage() + " is in the way";
        }
        if (e instanceof NotDirectoryException) {
            return e.getMessage() + " is not a folder";
        }
        if (e instanceof DirectoryNotEmptyException) {
            return "the folder " + e.getMessage() + " is not empty";
        }
        if (e instanceof FileSystemException || e instanceof FileNotFoundException) {
            return "cannot use " + e.getMessage();
        }
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }
}
