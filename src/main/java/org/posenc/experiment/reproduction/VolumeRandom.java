package org.posenc.experiment.reproduction;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.posenc.experiment.Results;
import org.posenc.signal.Sampling;

/** An eighth of a video's samples, anywhere. */
final class VolumeRandom extends FollowUp {

    private static final double FRACTION = 0.125;
    private static final Code.Parameters SIMPLE = new Code.Parameters(3, 3, 2, 3.0 / 64, 0.02);
    private static final Code.Parameters COMPLEX = new Code.Parameters(8, 8, 6, 3.5 / 64, 0.02);

    VolumeRandom(Size size) {
        super(Medium.VIDEO, size);
    }

    static VolumeRandom at(Scale scale) {
        return new VolumeRandom(Medium.VIDEO.size(scale, 2));
    }

    @Override
    public About about() {
        return new About(
                "volume-random",
                "The same of a video of which an eighth of the samples is known, drawn anywhere",
                "2022, table of random samples of videos",
                size.cost(),
                size.toString(),
                "An eighth of the samples trains, drawn anywhere; the PSNR is that of the others."
                        + " Complex encodings are blended from the eight corners of a cell of a"
                        + " virtual grid of half as many points a side. The authors' linear"
                        + " frequencies reach 256 cycles, where that grid of 64 points can tell 32"
                        + " apart: the similarities of a point with its two neighbours all but"
                        + " cancel, and its weights, which are divided by their sum, reach 27"
                        + " along each axis (9 on a grid of 16) instead of 1. They are lost"
                        + " without a hidden layer, as in the authors' own files (9.9 and 11.3"
                        + " dB), and with one. Nor is it the weights alone: frequencies of up to 8"
                        + " cycles on a grid of 16 have weights below 1, and come to 43 dB on the"
                        + " samples that trained and 16 dB on the others, Gaussians to 25 and 23:"
                        + " nothing tells linear frequencies to be smooth. The authors' simple"
                        + " Gaussians and waves failed to train on one of their two videos (11.63"
                        + " dB), whose means are shown; their files of simple linear maps are"
                        + " probably mislabelled, and their complex networks of depth 1 have the"
                        + " numbers of depth 0, so neither is shown.");
    }

    @Override
    Sampling sampling(long seed) {
        return new Sampling.RandomFraction(FRACTION, seed);
    }

    @Override
    Map<Method, Authors> methods() {
        Map<Method, Authors> methods = new LinkedHashMap<>();
        methods.put(Method.simple(0), new Authors(SIMPLE));
        methods.put(Method.simple(5), new Authors(SIMPLE, 24.32, 24.08, 17.00, 23.48, 16.81));
        methods.put(Method.complex(0), new Authors(COMPLEX, 10.58, 12.79, 19.79, 22.16, 22.65));
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
                        "best simple, depth 5, over best simple, depth 0",
                        "",
                        best(results, Method.simple(5), ALL) - best(results, Method.simple(0), ALL),
                        new Rule.AtLeast(2)));
        claims.addAll(
                aboutComplexity(
                        results,
                        Method.simple(5),
                        new String[] {"−0.9, −2.4", "2.2, 3.6", "", ""}));
        claims.add(solvedOverTrained(results, Code.GAUSSIAN, "", new Rule.AtLeast(-1.5)));
        return claims;
    }
}
