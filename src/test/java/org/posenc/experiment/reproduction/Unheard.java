package org.posenc.experiment.reproduction;

import org.posenc.experiment.Progress;

/** Nobody listens. */
final class Unheard implements Progress {

    @Override
    public void started(long steps, long done) {}

    @Override
    public void advanced(long steps) {}

    @Override
    public void finished(String trial) {}
}
