package io.moneonnx.pipeline;

import io.moneonnx.data.ModelFolder;
import io.moneonnx.data.ModelInputs;
import io.moneonnx.eval.NextToken;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.InlineFunctions;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Value;
import io.moneonnx.io.ModelFiles;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Refusal;
import io.moneonnx.moe.RouterCut;
import io.moneonnx.moe.Target;
import io.moneonnx.plan.Plan;
import io.moneonnx.profile.Fingerprint;
import io.moneonnx.profile.Profile;
import io.moneonnx.rewrite.Removal;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import io.moneonnx.run.Session;
import io.moneonnx.verify.Logits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The model at hand: its file, what was read, and the blocks that were found in it.
 *
 * @param given the model file, or the folder that stands for it
 * @param bytes of the model's files, and of what its functions take where they are called
 * @param target what it is meant to run on, for which it was read
 */
public record Subject(
    Path given,
    ModelFiles files,
    long bytes,
    Model model,
    Target target,
    MoeFinder.Findings findings) {
  private static final int OLDEST_OPSET = 13;
  private static final String DECODER = "decoder_input_ids";

  /**
   * Reads a model, puts its functions where they are called, and finds its blocks.
   *
   * @param given a model file, or a folder with one model in it
   * @param target what the model is meant to run on
   * @throws io.moneonnx.graph.BadInputException if it is no model that can be read
   */
  public static Subject open(Path given, Target target) {
    Path file = file(given);
    Model read = OnnxReader.read(file);
    Model model = withoutFunctions(file, read);
    if (model.opset() < OLDEST_OPSET) {
      throw new BadInputException(
          "%s: opset %d; wanted %d or later".formatted(file, model.opset(), OLDEST_OPSET));
    }
    ModelFiles files = ModelFiles.of(file, model);
    return new Subject(
        given,
        files,
        files.bytes() + growth(read, model, files.folder()),
        model,
        target,
        new MoeFinder(Forms.all(target)).find(model.graph()));
  }

  /** The model file that a user means by a file or a folder. */
  static Path file(Path given) {
    return Files.isDirectory(given) ? new ModelFolder(given).model() : given;
  }

  /** The model file. */
  public Path file() {
    return files.model();
  }

  private static Model withoutFunctions(Path file, Model model) {
    try {
      return InlineFunctions.of(model);
    } catch (BadInputException e) {
      throw new BadInputException(file + ": " + e.getMessage(), e);
    }
  }

  /** How much larger a model is without its functions, in bytes. */
  private static long growth(Model read, Model inlined, Path folder) {
    return read.functions().isEmpty()
        ? 0
        : Math.max(0, bytes(inlined, folder) - bytes(read, folder));
  }

  private static long bytes(Model model, Path folder) {
    return OnnxWriter.toBytes(model, folder).remaining();
  }

  /** The folder that the model's files lie in. */
  public Path folder() {
    return files.folder();
  }

  /** True where a folder was given: what else lies in it goes where the rewritten model goes. */
  public boolean isFolder() {
    return !given.equals(file());
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
              ? given + ": no Mixture-of-Experts block was found"
              : given + ": every block was refused:\n" + text(findings.refusals()));
    }
    return blocks();
  }

  /** Tells what the user should know of the blocks that were found. */
  public void warn(Console console) {
    findings.warnings().forEach(warning -> console.say(warning.toString()));
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
   * The output {@code [batch, sequence, vocabulary]} that scores next tokens: the first floating
   * one of rank 3 that is as wide as the vocabulary, as far as both are known, if the model takes
   * tokens.
   */
  public Optional<String> logits() {
    ModelInputs inputs = ModelInputs.of(model.graph());
    return inputs.tokens().isEmpty()
        ? Optional.empty()
        : model.graph().outputs().stream()
            .filter(output -> output.type().filter(ElementType::isFloating).isPresent())
            .filter(output -> output.shape().filter(shape -> shape.size() == 3).isPresent())
            .filter(output -> scoresAll(output.shape().get().get(2), inputs.vocabulary()))
            .map(Value::name)
            .findFirst();
  }

  /** False for what is too narrow to score every token: hidden states, say. */
  private static boolean scoresAll(Dimension width, OptionalLong vocabulary) {
    return !width.isFixed() || vocabulary.isEmpty() || width.size() >= vocabulary.getAsLong();
  }

  /** The same with what is known of it, for models to be compared by it. */
  Optional<Logits> comparedLogits() {
    ModelInputs inputs = ModelInputs.of(model.graph());
    boolean hasDecoder =
        model.graph().feeds().stream().anyMatch(input -> input.name().equals(DECODER));
    Optional<String> tokens =
        inputs.tokens().filter(input -> !hasDecoder && isMatrix(input)).map(Value::name);
    return logits()
        .flatMap(
            name -> model.graph().outputs().stream().filter(o -> o.name().equals(name)).findFirst())
        .map(
            output ->
                new Logits(output.name(), output.type().get(), tokens, width(output, inputs)));
  }

  private static OptionalLong width(Value logits, ModelInputs inputs) {
    Dimension width = logits.shape().get().get(2);
    return width.isFixed() ? OptionalLong.of(width.size()) : inputs.vocabulary();
  }

  private static boolean isMatrix(Value input) {
    return input.shape().map(shape -> shape.size() == 2).orElse(true);
  }

  /**
   * How the model foresees tokens.
   *
   * @throws BadInputException if it is no language model
   */
  public NextToken requireNextToken() {
    Value tokens =
        ModelInputs.of(model.graph())
            .tokens()
            .filter(Subject::isMatrix)
            .orElseThrow(
                () ->
                    noLanguageModel("takes no token ids [batch, sequence]", model.graph().feeds()));
    if (model.graph().feeds().stream().anyMatch(input -> input.name().equals(DECODER))) {
      throw noLanguageModel("has a decoder of its own", model.graph().feeds());
    }
    return logits()
        .map(logits -> new NextToken(tokens.name(), logits))
        .orElseThrow(
            () ->
                noLanguageModel(
                    "has no logits [batch, sequence, vocabulary]", model.graph().outputs()));
  }

  private BadInputException noLanguageModel(String what, List<Value> found) {
    return new BadInputException(
        "%s: wanted a model that foresees the next token; this one %s, only %s"
            .formatted(
                file(), what, found.stream().map(Value::name).collect(Collectors.joining(", "))));
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
              .formatted(from, profile.model(), given, fingerprint));
    }
  }

  /**
   * Checks that a plan is for this model.
   *
   * @param from the plan's file, for the message
   * @throws BadInputException if it is not, or names blocks or experts that are not there, or cuts
   *     what cannot be cut
   */
  public void requirePlan(Plan plan, Path from) {
    Map<String, Integer> experts = new LinkedHashMap<>();
    blocks().forEach(block -> experts.put(block.name(), block.experts()));
    try {
      plan.check(fingerprint(), experts);
      requireCuts(plan);
    } catch (BadInputException e) {
      throw new BadInputException(from + ": " + e.getMessage(), e);
    }
  }

  /**
   * Checks that routers can be cut where a plan does so.
   *
   * @throws BadInputException if one cannot
   */
  public void requireCuts(Plan plan) {
    if (plan.router() == Plan.Router.CUT) {
      for (MoeBlock block : blocks()) {
        SortedSet<Integer> pruned = new TreeSet<>(plan.pruned(block.name()));
        if (!pruned.isEmpty()) {
          new Removal(pruned).router(model.graph(), block);
        }
      }
    }
  }

  /**
   * Checks before a plan is made that there is a router that can be cut.
   *
   * @throws BadInputException if there is none; says why the first one cannot be
   */
  public void requireCuttable() {
    boolean isAny =
        blocks().stream()
            .map(block -> RouterCut.of(model.graph(), block.routing()))
            .anyMatch(router -> router.objection(Set.of()).isEmpty());
    if (!isAny) {
      new Removal(new TreeSet<>()).router(model.graph(), blocks().get(0));
    }
  }

  /**
   * Tells a model that is broken from a runtime that fails: call it where a model made of this one
   * does not load or run.
   *
   * @throws BadInputException if ONNX Runtime does not take the model as it is
   */
  void requireLoads(RunOptions options) {
    requireLoads(file(), options);
  }

  /** The same for any model file. */
  static void requireLoads(Path file, RunOptions options) {
    RunOptions plain = new RunOptions(new Device.Cpu(), options.threads(), notice -> {});
    try (Session session = Session.open(file, plain)) {
      Objects.requireNonNull(session);
    } catch (RuntimeFailureException e) {
      throw new BadInputException("ONNX Runtime does not take " + e.getMessage(), e);
    }
  }
}
