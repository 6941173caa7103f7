package io.moneonnx.pipeline;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.io.ModelFiles;
import io.moneonnx.moe.BlockContents;
import io.moneonnx.rewrite.Change;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The models of a folder that have the experts of the one at hand behind the same routers, as
 * decoders for prompts and for single tokens do, and the other branch of its own file: one plan
 * holds for all of them.
 *
 * @param others by file why those that are left are no such models
 */
public record SharedExperts(List<Twin> twins, Map<Path, String> others) {
  public SharedExperts {
    twins = List.copyOf(twins);
    others = Collections.unmodifiableMap(new LinkedHashMap<>(others));
  }

  /**
   * A model with the same experts.
   *
   * @param files its own, as part of the folder
   * @param blocks by name in the model at hand what they are called here
   */
  public record Twin(LoadedModel model, ModelFiles files, Map<String, String> blocks) {
    public Twin {
      blocks = Collections.unmodifiableMap(new LinkedHashMap<>(blocks));
    }

    /** How people tell it from others: by its file, or by the branch that it is. */
    public String text() {
      return model.branch().isPresent() ? model.name() : model.file().toString();
    }

    /** What is done to the blocks of the model at hand, done to those here. */
    Map<String, Change> changes(Map<String, Change> changes) {
      Map<String, Change> here = new LinkedHashMap<>();
      changes.forEach((block, change) -> here.put(blocks.get(block), change));
      return here;
    }
  }

  /** Looks through the folder that was given; the model of a file that was given is alone. */
  public static SharedExperts of(LoadedModel subject) {
    if (!subject.isFolder() && subject.otherBranch().isEmpty()) {
      return new SharedExperts(List.of(), Map.of());
    }
    List<Twin> twins = new ArrayList<>();
    Map<Path, String> others = new LinkedHashMap<>();
    List<BlockContents> wanted = contents(subject);
    subject.otherBranch().ifPresent(other -> twins.add(twin(subject, wanted, other)));
    if (subject.isFolder() && !wanted.isEmpty()) {
      for (Path file : subject.files().otherModels()) {
        try {
          twins.add(twin(subject, wanted, LoadedModel.open(file, subject.target())));
        } catch (BadInputException e) {
          others.put(file, e.getMessage().replace(file + ": ", ""));
        }
      }
    }
    return new SharedExperts(twins, others);
  }

  /** Whether two models have blocks, and the same ones. */
  static boolean areTwins(LoadedModel model, LoadedModel other) {
    try {
      return !twin(model, contents(model), other).blocks().isEmpty();
    } catch (BadInputException e) {
      return false;
    }
  }

  private static List<BlockContents> contents(LoadedModel model) {
    return model.blocks().stream().map(block -> BlockContents.of(model.model(), block)).toList();
  }

  /**
   * Finds each block in another model, in the same order.
   *
   * @throws BadInputException if one is not there; says what tells the first that is not
   */
  private static Twin twin(LoadedModel subject, List<BlockContents> wanted, LoadedModel other) {
    List<BlockContents> found = contents(other);
    Map<String, String> blocks = new LinkedHashMap<>();
    int next = 0;
    for (int i = 0; i < wanted.size(); i++) {
      int first = next;
      while (next < found.size() && wanted.get(i).difference(found.get(next)).isPresent()) {
        next++;
      }
      if (next == found.size()) {
        throw new BadInputException(
            other.file() + ": " + difference(subject, i, wanted, other, first, found));
      }
      blocks.put(subject.blocks().get(i).name(), other.blocks().get(next).name());
      next++;
    }
    return new Twin(other, other.files().within(subject.files().root()), blocks);
  }

  private static String difference(
      LoadedModel subject,
      int missing,
      List<BlockContents> wanted,
      LoadedModel other,
      int next,
      List<BlockContents> found) {
    String block = subject.blocks().get(missing).name();
    String file = subject.name();
    if (next == found.size()) {
      return "expected block '%s' of %s, found %s"
          .formatted(
              block,
              file,
              other.findings().refusals().stream()
                  .findFirst()
                  .map(refusal -> "refused " + refusal.where() + ": " + refusal.reason())
                  .orElse(found.isEmpty() ? "no block" : "no more blocks"));
    }
    return "its block '%s' is not '%s' of %s: %s; rewrite takes --also MODEL=SRC for a plan of its own"
        .formatted(
            other.blocks().get(next).name(),
            block,
            file,
            wanted.get(missing).difference(found.get(next)).orElseThrow());
  }

  /**
   * Says which models are rewritten together, and which are not, and why.
   *
   * @param companions those with plans of their own
   */
  void tell(LoadedModel subject, List<Companion> companions, Console console) {
    for (Twin twin : twins) {
      console.say(
          "%s: has the experts of %s, and is rewritten by the same plan"
              .formatted(twin.text(), subject.name()));
    }
    if (subject.isFolder()) {
      ModelFiles rewritten =
          subject
              .files()
              .with(twins.stream().map(Twin::files).toList())
              .with(companions.stream().map(Companion::files).toList());
      Output.tellCopied(rewritten, others::get, console);
    }
  }
}
