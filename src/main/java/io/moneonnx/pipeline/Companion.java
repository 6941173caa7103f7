package io.moneonnx.pipeline;

import io.moneonnx.data.Calibration;
import io.moneonnx.data.DataSource;
import io.moneonnx.data.ModelInputs;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.io.ModelFiles;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.profile.Profile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A model with experts of its own in the folder of the one at hand, such as a draft head beside its
 * trunk, that is rewritten too because the user asks for it: calibrated on data of its own and by a
 * plan of its own, and put in place together with the others or not at all.
 *
 * @param files its own, as part of the folder
 */
record Companion(LoadedModel model, ModelFiles files, DataRequest data) {
  private static final String OPTION = "--also";

  /**
   * A companion that was calibrated and planned.
   *
   * @param on what it was calibrated on
   */
  record Planned(Companion companion, Profile profile, Plan plan, Novice novice, Calibration on) {
    LoadedModel model() {
      return companion.model();
    }
  }

  /**
   * Finds the models that are asked for.
   *
   * @param asked each as {@code MODEL=SRC}, the model's path in the folder and a source of data for
   *     it; several of one model belong together
   * @param reading how the data are read
   * @throws BadInputException if there is no such model, or it is rewritten anyway
   */
  static List<Companion> of(
      List<String> asked, DataRequest reading, LoadedModel subject, SharedExperts shared) {
    Map<Path, List<DataSource>> sources = new LinkedHashMap<>();
    for (String text : asked) {
      int equals = text.indexOf('=');
      Path file = file(equals < 0 ? text : text.substring(0, equals), subject, shared);
      sources.computeIfAbsent(file, path -> new ArrayList<>());
      if (equals >= 0 && equals < text.length() - 1) {
        sources.get(file).add(DataSource.parse(OPTION, text.substring(equals + 1)));
      }
    }
    List<Companion> companions = new ArrayList<>();
    sources.forEach(
        (file, data) -> {
          LoadedModel model = LoadedModel.open(file, subject.target());
          model.requireBlocks();
          if (data.isEmpty()) {
            throw new BadInputException(
                "%s %s: found no data for it, expected %s=SRC, such as .npz arrays named like its inputs: %s"
                    .formatted(
                        OPTION,
                        name(file, subject),
                        name(file, subject),
                        ModelInputs.of(model.model().graph()).text()));
          }
          companions.add(
              new Companion(model, model.files().within(subject.files().root()), reading.of(data)));
        });
    return companions;
  }

  private static Path file(String name, LoadedModel subject, SharedExperts shared) {
    if (!subject.isFolder()) {
      throw new BadInputException(
          "%s %s: the model is given as a file, expected the folder that both lie in"
              .formatted(OPTION, name));
    }
    if (shared.twins().stream().anyMatch(twin -> name(twin.model().file(), subject).equals(name))) {
      throw new BadInputException(
          "%s %s: it has the experts of %s, and is rewritten by the same plan without being asked for"
              .formatted(OPTION, name, subject.name()));
    }
    return shared.others().keySet().stream()
        .filter(other -> name(other, subject).equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new BadInputException(
                    "%s: found no other model '%s' in the folder of %s, expected one of %s"
                        .formatted(OPTION, name, subject.name(), names(subject, shared))));
  }

  private static String names(LoadedModel subject, SharedExperts shared) {
    return shared.others().keySet().stream()
        .map(other -> name(other, subject))
        .collect(Collectors.joining(", ", "[", "]"));
  }

  private static String name(Path file, LoadedModel subject) {
    return subject.files().root().relativize(file.toAbsolutePath()).toString();
  }
}
