package org.posenc;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.loss.Loss;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which room may know which: dependencies run one way, from the command line to the kernels. */
class RoomsTest {

    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                    .importPackages("org.posenc");

    @ParameterizedTest
    @CsvSource({
        "kernel,     ",
        "encoding,   kernel",
        "attention,  encoding kernel",
        "model,      attention encoding kernel",
        "training,   kernel",
        "analysis,   encoding kernel",
        "checkpoint, model attention encoding training report kernel",
        "report,     ",
        "signal,     model encoding training analysis report kernel",
        "experiment, signal model attention encoding training analysis checkpoint report kernel",
    })
    void aRoomKnowsOnlyTheRoomsBelowIt(String room, String known) {
        String own = "org.posenc." + room + "..";
        String[] allowed =
                Stream.concat(
                                Stream.of(own),
                                known == null
                                        ? Stream.empty()
                                        : Stream.of(known.split(" "))
                                                .map(name -> "org.posenc." + name + ".."))
                        .toArray(String[]::new);
        noClasses()
                .that()
                .resideInAPackage(own)
                .should()
                .dependOnClassesThat(
                        resideInAPackage("org.posenc..").and(not(resideInAnyPackage(allowed))))
                .allowEmptyShould(true)
                .check(CLASSES);
    }

    @Test
    void onlyTheKernelRoomNamesTheEngine() {
        noClasses()
                .that(resideOutsideOfPackage("org.posenc.kernel.."))
                .should()
                .dependOnClassesThat()
                .resideInAPackage("ai.djl.pytorch..")
                .check(CLASSES);
    }

    @Test
    void onlyTheProgramNeedsTheProgramsLibraries() {
        noClasses()
                .that()
                .resideOutsideOfPackages("org.posenc.cli..", "org.posenc.report..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("picocli..", "me.tongfei..", "org.knowm..")
                .check(CLASSES);
    }

    /**
     * DJL calls that cut gradients or destroy shared arrays (their differentiable twins exist), or
     * that let libtorch warn of itself on the user's terminal ({@code copyTo}; {@link
     * org.posenc.kernel.Slice#write} does the same).
     */
    @Test
    void noCallOfATrap() {
        noClasses()
                .should()
                .callMethod(NDArray.class, "tempAttach", NDManager.class)
                .orShould()
                .callMethod(NDArray.class, "complex")
                .orShould()
                .callMethod(NDArray.class, "copyTo", NDArray.class)
                .check(CLASSES);
    }

    /**
     * Numbers given to these stand in Java memory that may be gone before backward reads it; {@link
     * org.posenc.kernel.Scalars} has their twins. The losses of DJL call them.
     */
    @Test
    void noNumberInMemoryThatIsGone() {
        noClasses()
                .should()
                .callMethod(NDArray.class, "mul", Number.class)
                .orShould()
                .callMethod(NDArray.class, "div", Number.class)
                .orShould()
                .callMethod(NDArray.class, "pow", Number.class)
                .orShould()
                .callMethod(NDArray.class, "minimum", Number.class)
                .orShould()
                .callMethod(NDArray.class, "maximum", Number.class)
                .orShould()
                .callMethod(Loss.class, "l2Loss")
                .orShould()
                .callMethod(Loss.class, "l2Loss", String.class)
                .orShould()
                .callMethod(Loss.class, "l2Loss", String.class, float.class)
                .check(CLASSES);
    }
}
