package org.posenc.experiment;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.posenc.kernel.Autograd;

/**
 * Runs independent trials side by side, each on a thread of its own with its share of the cores.
 *
 * <p>Small models leave most of a second core idle when one operation is spread over both; two
 * trainings at once use both. Trials draw all their random numbers from seeds of their own, so the
 * numbers do not depend on how many run at once.
 *
 * @param workers how many trials run at once, at least 1
 * @param threads how many threads an operation of one trial may use, at least 1
 */
public record TrialPool(int workers, int threads) {

    /** Checks the values. */
    public TrialPool {
        if (workers < 1 || threads < 1) {
            throw new IllegalArgumentException(
                    "workers and threads must be at least 1, got " + workers + " and " + threads);
        }
    }

    /** One trial for each core; a single one at a time on a GPU. */
    public static TrialPool standard(boolean gpu) {
        return gpu ? oneByOne() : new TrialPool(Runtime.getRuntime().availableProcessors(), 1);
    }

    /** One trial at a time with all cores: for large trials, and for times that compare. */
    public static TrialPool oneByOne() {
        return new TrialPool(1, Runtime.getRuntime().availableProcessors());
    }

    /**
     * Runs trials and hands each result over as it comes, one at a time. The first failure ends the
     * rest.
     */
    public <R> void run(List<? extends Callable<R>> trials, Consumer<R> finished) {
        ExecutorService executor = Executors.newFixedThreadPool(workers, TrialPool::daemon);
        CompletionService<R> completion = new ExecutorCompletionService<>(executor);
        try {
            for (Callable<R> trial : trials) {
                completion.submit(
                        () -> {
                            Autograd.operationThreads(threads);
                            return trial.call();
                        });
            }
            for (int i = 0; i < trials.size(); i++) {
                finished.accept(completion.take().get());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted; finished trials are kept");
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause
                    ? cause
                    : new IllegalStateException(e.getCause());
        } finally {
            executor.shutdownNow();
        }
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "trial");
        thread.setDaemon(true);
        return thread;
    }
}
