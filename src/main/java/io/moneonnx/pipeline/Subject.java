package io.moneonnx.pipeline;

import io.moneonnx.form.Forms;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.InlineFunctions;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Reason;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Refusal;
import io.moneonnx.plan.Plan;
import io.moneonnx.profile.Fingerprint;
import io.moneonnx.profile.Profile;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import io.moneonnx.run.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/** The model at hand: its file, what was read, and the blocks that were found in it. */
public record Subject(Path file, Model model, MoeFinder.Findings findings) {
  private static final int OLDEST_OPSET = 13;

  /**
   * Reads a model, puts its functions where they are called, and finds its blocks.
   *
   * @throws io.moneonnx.graph.BadInputException if the file is no model that can be read
   */
  public static Subject open(Path file) {
    Model model = withoutFunctions(file, OnnxReader.read(file));
    if (model.opset() < OLDEST_OPSET) {
      throw new BadInputException(
          "%s: opset %d; wanted %d or later".formatted(file, model.opset(), OLDEST_OPSET));
    }
    return new Subject(file, model, new MoeFinder(Forms.all()).find(model.graph()));
  }

  private static Model withoutFunctions(Path file, Model model) {
    try {
      return InlineFunctions.of(model);
    } catch (BadInputException e) {
      throw new BadInputException(file + ": " + e.getMessage(), e);
    }
  }

  /** The folder that the model's files lie in. */
  public Path folder() {
    return file.toAbsolutePath().getParent();
  }

  public List<MoeBlock> blocks() {
    return findings.blocks();
  }

  /**
   * The blocks that were found.
   *
   * @throws NothingToDoException if there are none; says what was refused
   */
  public List<MoeBlock> requireBlocks() {
    if (blocks().isEmpty()) {
      throw new NothingToDoException(
          findings.refusals().isEmpty()
              ? file + ": no Mixture-of-Experts block was found"
              : file + ": every block was refused:\n" + text(findings.refusals()));
    }
    return blocks();
  }

  static String text(List<Refusal> refusals) {
    return refusals.stream()
        .map(refusal -> "  " + refusal.where() + ": " + refusal.reason())
        .collect(Collectors.joining("\n"));
  }

  public String fingerprint() {
    return Fingerprint.of(
        model,
        blocks().stream().map(block -> block.routing().router()).collect(Collectors.toSet()));
  }

  /**
   * Checks that a profile is of this model.
   *
   * @param from the profile's file, for the message
   * @throws BadInputException if it is of another
   */
  public void requireProfile(Profile profile, Path from) {
    String fingerprint = fingerprint();
    if (!profile.model().equals(fingerprint)) {
      throw new BadInputException(
          "%s: is of another model: it names %s, and the fingerprint of %s is %s"
              .formatted(from, profile.model(), file, fingerprint));
    }
  }

  /**
   * Checks that a plan is for this model.
   *
   * @param from the plan's file, for the message
   * @throws BadInputException if it is not, or names blocks or experts that are not there
   */
  public void requirePlan(Plan plan, Path from) {
    Map<String, Integer> experts = new LinkedHashMap<>();
    blocks().forEach(block -> experts.put(block.name(), block.experts()));
    try {
      plan.check(fingerprint(), experts);
    } catch (BadInputException e) {
      throw new BadInputException(from + ": " + e.getMessage(), e);
    }
  }

  /**
   * Tells a model that is broken from a runtime that fails: call it where a model made of this one
   * does not load or run.
   *
   * @throws BadInputException if ONNX Runtime does not take the model as it is
   */
  void requireLoads(RunOptions options) {
    RunOptions plain = new RunOptions(new Device.Cpu(), options.threads(), notice -> {});
    try (Session session = Session.open(file, plain)) {
      Objects.requireNonNull(session);
    } catch (RuntimeFailureException e) {
      throw new BadInputException("ONNX Runtime does not take " + e.getMessage(), e);
    }
  }

  /** Bytes of the model file and its data files. */
  public long bytes() {
    try {
      long bytes = 0;
      for (Path path : files()) {
        bytes += Files.size(path);
      }
      return bytes;
    } catch (IOException e) {
      throw new BadInputException(file + ": cannot be read: " + Reason.of(e), e);
    }
  }

  /** The model file and its data files, each once, wherever links lead. */
  public Set<Path> files() {
    try {
      Set<Path> files = new LinkedHashSet<>(Set.of(file.toRealPath()));
      for (Initializer initializer : model.graph().initializers().values()) {
        if (initializer.tensor() instanceof Tensor.External external) {
          for (FileRange range : external.ranges()) {
            files.add(range.file().toRealPath());
          }
        }
      }
      return files;
    } catch (IOException e) {
      throw new BadInputException(file + ": cannot be read: " + Reason.of(e), e);
    }
  }
}
