package io.moneonnx.cli;

import io.moneonnx.plan.Limits;
import io.moneonnx.plan.NamedExperts;
import io.moneonnx.plan.Protection;
import io.moneonnx.plan.SuperExperts;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** The options that say which experts must stay. */
final class LimitOptions {
  @Option(
      names = "--min-keep",
      paramLabel = "N",
      description =
          "Experts that stay in each block at least (default: 1, with a cut router as many as it"
              + " chooses).")
  private Integer minKeep;

  @Option(
      names = "--protect",
      paramLabel = "L:E,...",
      description =
          "Experts that stay: block and expert, such as layers.0:3 or, by the block's place, 0:3.")
  private String protect;

  @Option(
      names = "--protect-outliers",
      description =
          "Super experts stay: those whose largest output is above the 99.5th percentile of all"
              + " experts' and above a tenth of the largest.")
  private boolean protectOutliers;

  /** What was given, by name of option. */
  Map<String, Object> given() {
    Map<String, Object> given = new LinkedHashMap<>();
    given.put("--min-keep", minKeep);
    given.put("--protect", protect);
    given.put("--protect-outliers", protectOutliers ? true : null);
    given.values().removeIf(Objects::isNull);
    return given;
  }

  Limits limits() {
    List<Protection> protections = new ArrayList<>();
    if (protect != null) {
      protections.add(NamedExperts.parse(protect));
    }
    if (protectOutliers) {
      protections.add(new SuperExperts());
    }
    return new Limits(minKeep == null ? OptionalInt.empty() : OptionalInt.of(minKeep), protections);
  }
}
