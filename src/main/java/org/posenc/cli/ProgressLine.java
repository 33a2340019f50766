package org.posenc.cli;

import java.time.Duration;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.posenc.experiment.Progress;

/** A progress bar on the error stream, where there is a terminal; else a line for each trial. */
final class ProgressLine implements Progress, AutoCloseable {

    private final String task;
    private ProgressBar bar;

    ProgressLine(String task) {
        this.task = task;
    }

    @Override
    public synchronized void started(long steps, long done) {
        if (done > 0 && steps > 0) {
            System.err.printf("%d %% was done before and is not run again%n", 100 * done / steps);
        }
        if (System.console() != null) {
            bar =
                    new ProgressBarBuilder()
                            .setTaskName(task)
                            .setInitialMax(steps)
                            .startsFrom(done, Duration.ZERO)
                            .setStyle(ProgressBarStyle.COLORFUL_UNICODE_BLOCK)
                            .setUnit(" steps", 1)
                            .showSpeed()
                            .setUpdateIntervalMillis(200)
                            .build();
        }
    }

    @Override
    public synchronized void advanced(long steps) {
        if (bar != null) {
            bar.stepBy(steps);
        }
    }

    @Override
    public synchronized void note(String state) {
        if (bar != null) {
            bar.setExtraMessage(" " + state);
        }
    }

    @Override
    public synchronized void finished(String trial) {
        if (bar != null) {
            bar.setExtraMessage(" " + trial);
        } else {
            System.err.println(trial);
        }
    }

    @Override
    public synchronized void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
