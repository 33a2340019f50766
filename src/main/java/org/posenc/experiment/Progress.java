package org.posenc.experiment;

/** Hears how far an experiment is; called from several threads. */
public interface Progress {

    /**
     * The experiment starts.
     *
     * @param steps how many steps it has in all
     * @param done how many of them were done in an earlier run
     */
    void started(long steps, long done);

    /**
     * Some steps are done.
     *
     * @param steps how many more
     */
    void advanced(long steps);

    /**
     * A trial is done and its result is on disk.
     *
     * @param trial what was tried, and what came of it, in half a line
     */
    void finished(String trial);

    /**
     * How a trial stands.
     *
     * @param state a few words, such as its latest PSNR; not worth a line of a log
     */
    default void note(String state) {
        // Most experiments have nothing to tell before a trial is done.
    }
}
