package org.posenc.experiment.reproduction;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.posenc.experiment.Results;
import org.posenc.signal.Sampling;

/** Every second sample of a video along all three axes: the follow-up's table of videos. */
final class Volume extends FollowUp {

    private static final Code.Parameters SIMPLE = new Code.Parameters(3, 3, 3, 3.0 / 64, 0.015);
    private static final Code.Parameters COMPLEX = new Code.Parameters(3, 3, 6, 2.0 / 64, 0.015);

    Volume(Size size) {
        super(Medium.VIDEO, size);
    }

    static Volume at(Scale scale) {
        return new Volume(Medium.VIDEO.size(scale, 3));
    }

    @Override
    public About about() {
        return new About(
                "volume",
                "Simple and complex encodings of a video",
                "2022, table of separable videos",
                size.cost(),
                size.toString(),
                "A camera pans across the image and closes in, in as many frames as a frame has"
                        + " pixels a side. Every second sample along time, rows and columns"
                        + " trains; the PSNR is that of the others, pictures are of a frame"
                        + " between. Triangles and Gaussians stand along the three axes,"
                        + " parameters go with the side from the authors' 128. Random Fourier"
                        + " features of eight frequencies an axis, as many as belong to 32"
                        + " samples, are a matter of luck: one of three draws learned nothing (8.9"
                        + " dB), two came to 22 dB. The authors' numbers are means of two videos;"
                        + " what they call depth 4 has five hidden layers.");
    }

    @Override
    Sampling sampling(long seed) {
        return Sampling.EVERY_SECOND;
    }

    @Override
    Map<Method, Authors> methods() {
        Map<Method, Authors> methods = new LinkedHashMap<>();
        methods.put(Method.simple(0), new Authors(SIMPLE, 13.82, 13.82, 13.99, 13.82, 13.81));
        methods.put(Method.simple(5), new Authors(SIMPLE, 23.80, 23.91, 24.16, 16.40, 21.70));
        methods.put(Method.complex(0), new Authors(COMPLEX, 13.07, 14.83, 17.60, 22.71, 23.48));
        methods.put(Method.complex(1), new Authors(COMPLEX, 24.22, 24.60, 24.68, 24.86, 24.66));
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
                        "12.0, 8.7",
                        best(results, Method.simple(5), ALL) - best(results, Method.simple(0), ALL),
                        new Rule.AtLeast(2)));
        claims.addAll(
                aboutComplexity(
                        results,
                        Method.simple(5),
                        new String[] {"−1.4, −0.4", "7.8, 4.0", "9.4, 4.8", "0.7, 0.6"}));
        claims.add(solvedOverTrained(results, Code.GAUSSIAN, "", new Rule.Between(-1.5, 1.5)));
        return claims;
    }
}
