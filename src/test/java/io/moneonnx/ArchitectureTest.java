package io.moneonnx;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.moneonnx.moe.Choice;
import io.moneonnx.moe.NeuronCut;
import io.moneonnx.moe.RouterCut;
import io.moneonnx.moe.RoutingWeights;
import io.moneonnx.moe.Rows;
import io.moneonnx.moe.SelectionMask;
import java.net.URI;
import java.net.URL;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Dependencies point one way, from {@code cli} down to {@code graph}. */
class ArchitectureTest {
  private static final String ROOT = "io.moneonnx.";
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.moneonnx");

  /** What each package may use; every package of the program is named here. */
  private static final Map<String, List<String>> ARROWS =
      Map.ofEntries(
          Map.entry("graph", List.of()),
          Map.entry("proto", List.of()),
          Map.entry("passgen", List.of()),
          Map.entry("json", List.of("graph")),
          Map.entry("jinja", List.of()),
          Map.entry("match", List.of("graph")),
          Map.entry("canonical", List.of("graph")),
          Map.entry("passes", List.of("graph", "match")),
          Map.entry("io", List.of("graph", "proto")),
          Map.entry("run", List.of("graph", "io")),
          Map.entry("data", List.of("graph", "jinja")),
          Map.entry("narrow", List.of("graph")),
          Map.entry("moe", List.of("graph", "match", "passes")),
          Map.entry("form", List.of("graph", "match", "passes", "moe")),
          Map.entry("profile", List.of("graph", "io", "json")),
          Map.entry("plan", List.of("graph", "io", "json", "narrow", "profile")),
          Map.entry(
              "observe", List.of("graph", "canonical", "io", "run", "data", "moe", "profile")),
          Map.entry("rewrite", List.of("graph", "canonical", "json", "moe")),
          Map.entry(
              "verify",
              List.of("graph", "canonical", "io", "run", "data", "moe", "rewrite", "proto")),
          Map.entry(
              "eval",
              List.of(
                  "graph",
                  "canonical",
                  "io",
                  "run",
                  "data",
                  "moe",
                  "profile",
                  "plan",
                  "rewrite",
                  "verify")),
          Map.entry(
              "pipeline",
              List.of(
                  "graph",
                  "canonical",
                  "io",
                  "run",
                  "data",
                  "moe",
                  "narrow",
                  "form",
                  "profile",
                  "plan",
                  "observe",
                  "rewrite",
                  "verify",
                  "eval")),
          Map.entry(
              "cli",
              List.of(
                  "graph",
                  "io",
                  "json",
                  "run",
                  "data",
                  "moe",
                  "profile",
                  "plan",
                  "rewrite",
                  "verify",
                  "eval",
                  "pipeline")));

  static Set<String> packages() {
    return ARROWS.keySet();
  }

  @ParameterizedTest
  @MethodSource("packages")
  void usesOnlyWhatLiesBelow(String name) {
    String[] others =
        ARROWS.keySet().stream()
            .filter(other -> !other.equals(name) && !ARROWS.get(name).contains(other))
            .map(other -> ROOT + other + "..")
            .toArray(String[]::new);
    noClasses()
        .that()
        .resideInAPackage(ROOT + name + "..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(others)
        .check(CLASSES);
  }

  @Test
  void everyPackageHasItsArrows() {
    Set<String> found =
        CLASSES.stream()
            .map(type -> type.getPackageName().substring(ROOT.length()).replaceAll("\\..*", ""))
            .collect(Collectors.toSet());
    assertThat(found).isEqualTo(ARROWS.keySet());
  }

  @Test
  void noTwoPackagesUseEachOther() {
    slices().matching(ROOT + "(*)..").should().beFreeOfCycles().check(CLASSES);
  }

  /** Blocks answer for themselves: what kind of rows, choice or routing weights is their matter. */
  @Test
  void onlyFormsKnowKindsOfRowsChoicesAndRoutingWeights() {
    Set<String> kinds =
        Stream.of(Rows.class, Choice.class, RoutingWeights.class)
            .flatMap(type -> Stream.of(type.getDeclaredClasses()).filter(type::isAssignableFrom))
            .map(Class::getName)
            .collect(Collectors.toSet());
    assertThat(kinds).hasSize(13);
    noClasses()
        .that()
        .resideOutsideOfPackages(ROOT + "moe..", ROOT + "form..")
        .should()
        .dependOnClassesThat(
            DescribedPredicate.describe("are kinds", type -> kinds.contains(type.getName())))
        .check(CLASSES);
  }

  /** What both did wrong alike would be proved right. */
  @Test
  void proofsMaskRoutersAndNeuronsInAWayOfTheirOwn() {
    noClasses()
        .that()
        .resideInAPackage(ROOT + "verify..")
        .should()
        .dependOnClassesThat()
        .belongToAnyOf(NeuronCut.class, RouterCut.class, SelectionMask.class)
        .check(CLASSES);
  }

  @Test
  void onlyRunKnowsOnnxRuntime() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + "run..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("ai.onnxruntime..")
        .check(CLASSES);
  }

  @Test
  void onlyIoKnowsTheOnnxFormat() {
    noClasses()
        .that()
        .resideOutsideOfPackages(ROOT + "io..", ROOT + "proto..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(ROOT + "proto.onnx..")
        .check(CLASSES);
  }

  @Test
  void onlyDataKnowsTheTokenizer() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + "data..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("ai.djl..")
        .check(CLASSES);
  }

  @Test
  void onlyDataKnowsParquet() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + "data..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.apache.parquet..", "io.airlift..")
        .check(CLASSES);
  }

  @Test
  void onlyNarrowKnowsTheLinearAlgebra() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + "narrow..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.ejml..")
        .check(CLASSES);
  }

  /** Names of resources and of files are all that is used of {@code java.net}. */
  @Test
  void nothingReachesForTheNetwork() {
    Pattern network =
        Pattern.compile(
            "javax?\\.net\\.(?!UR[LI]$|URISyntaxException$).*"
                + "|java\\.nio\\.channels\\..*(Socket|Datagram).*");
    noClasses()
        .should()
        .dependOnClassesThat(
            DescribedPredicate.describe(
                "are of the network", type -> network.matcher(type.getName()).matches()))
        .check(CLASSES);
    noClasses()
        .should()
        .callMethod(URL.class, "openStream")
        .orShould()
        .callMethod(URL.class, "openConnection")
        .orShould()
        .callMethod(URI.class, "toURL")
        .check(CLASSES);
  }
}
