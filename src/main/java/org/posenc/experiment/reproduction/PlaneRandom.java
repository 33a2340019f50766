package org.posenc.experiment.reproduction;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.posenc.experiment.Results;
import org.posenc.signal.Sampling;

/** A quarter of an image's pixels, anywhere: the follow-up's table of blended encodings. */
final class PlaneRandom extends FollowUp {

    private static final double FRACTION = 0.25;
    private static final Code.Parameters SIMPLE = new Code.Parameters(4, 4.5, 8, 2.5 / 128, 0.006);
    private static final Code.Parameters COMPLEX =
            new Code.Parameters(4.5, 6, 30, 2.5 / 256, 0.005);

    PlaneRandom(Size size) {
        super(Medium.IMAGE, size);
    }

    static PlaneRandom at(Scale scale) {
        return new PlaneRandom(Medium.IMAGE.size(scale, 3));
    }

    @Override
    public About about() {
        return new About(
                "plane-random",
                "The same of an image of which a quarter of the pixels is known, drawn anywhere",
                "2022, table of random samples of images",
                size.cost(),
                size.toString(),
                "A quarter of the pixels trains, another draw for each seed; the PSNR is that of"
                        + " the others. Complex encodings are blended from a virtual grid of half"
                        + " as many points a side, with each encoding's own similarity (the"
                        + " authors' code takes another one for triangles, and evaluates the grid"
                        + " at other points than it blends). Weights are solved for by conjugate"
                        + " gradients with a ridge. The smaller the image, the closer random"
                        + " Fourier features come to Gaussians, because both lose more in the gaps"
                        + " than tells them apart: Gaussians had 0.2 to 0.9 dB more in four draws"
                        + " of 64 pixels, 1.1 and 1.4 dB in two of 128. A hidden layer learns the"
                        + " few known pixels by heart: it adds 1.3 dB to random Fourier features"
                        + " of 64 pixels in 75 steps, 0.7 dB in 300. Linear maps overfit as well"
                        + " (Gaussians 20.4 dB after 250 steps, 20.2 after 1000), unless they are"
                        + " solved for with a ridge (20.7 dB, and 1.5 dB less with random Fourier"
                        + " features). The papers' numbers for images are not public.");
    }

    @Override
    Sampling sampling(long seed) {
        return new Sampling.RandomFraction(FRACTION, seed);
    }

    @Override
    Map<Method, Authors> methods() {
        Map<Method, Authors> methods = new LinkedHashMap<>();
        methods.put(Method.simple(0), new Authors(SIMPLE));
        methods.put(Method.simple(4), new Authors(SIMPLE));
        methods.put(Method.complex(0), new Authors(COMPLEX));
        methods.put(Method.complex(1), new Authors(COMPLEX));
        methods.put(Method.solved(), new Authors(COMPLEX));
        return methods;
    }

    @Override
    public List<Claim> claims(Results results) {
        List<Claim> claims = new ArrayList<>();
        claims.add(
                decibels(
                        9,
                        "what depth 4 adds to simple encodings, least",
                        "",
                        leastGain(results, Method.simple(0), Method.simple(4), ALL),
                        new Rule.AtLeast(2)));
        claims.addAll(aboutComplexity(results, Method.simple(4), new String[] {"", "", "", ""}));
        claims.add(solvedOverTrained(results, Code.GAUSSIAN, "", new Rule.AtLeast(-1.5)));
        return claims;
    }
}
