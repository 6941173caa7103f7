package io.moneonnx.pipeline;

import io.moneonnx.canonical.Branches;
import io.moneonnx.data.ModelInputs;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.io.ModelFiles;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Refusal;
import io.moneonnx.moe.RouterCut;
import io.moneonnx.moe.Target;
import io.moneonnx.plan.Plan;
import io.moneonnx.profile.Fingerprint;
import io.moneonnx.profile.Profile;
import io.moneonnx.rewrite.Removal;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The model at hand: what was read, and the blocks that were found in it. */
public final class LoadedModel {
  private final ReadModel read;
  private final Target target;
  private final MoeFinder.Findings findings;
  private final Optional<Branch> branch;
  private String fingerprint;

  private LoadedModel(ReadModel read, Target target, Optional<Branch> branch) {
    this.read = read;
    this.target = target;
    this.branch = branch;
    Map<String, Set<Integer>> gone = new LinkedHashMap<>();
    read.gone().forEach((block, experts) -> gone.put(block, experts.all()));
    try {
      this.findings = new MoeFinder(Forms.all(target)).find(read.model().graph(), gone);
    } catch (BadInputException e) {
      throw new BadInputException(read.file() + ": " + e.getMessage(), e);
    }
  }

  /**
   * A branch that is always taken in a model.
   *
   * @param all those of the file
   */
  record Branch(Branches all, boolean condition) {
    String name() {
      return Branches.name(condition);
    }
  }

  /**
   * Reads a model, puts its functions where they are called, and finds its blocks.
   *
   * @param given a model file, or a folder with one model in it
   * @param target what the model is meant to run on
   * @throws io.moneonnx.graph.BadInputException if it is no model that can be read
   */
  public static LoadedModel open(Path given, Target target) {
    return new LoadedModel(ReadModel.open(given), target, Optional.empty());
  }

  /**
   * Reads a model whose layers may be in both branches of an {@code If}, with the same experts:
   * then it is the model of one branch, that which is fed tokens alone if one is. {@link
   * #otherBranch} is the other.
   *
   * @throws io.moneonnx.graph.BadInputException if it is no model that can be read
   */
  public static LoadedModel openAny(Path given, Target target) {
    LoadedModel whole = open(given, target);
    Model file = whole.read.canonical().original();
    Optional<Branches> branches = Branches.of(file).filter(all -> whole.blocks().isEmpty());
    if (branches.isEmpty()) {
      return whole;
    }
    LoadedModel then = whole.taking(new Branch(branches.get(), true));
    LoadedModel otherwise = whole.taking(new Branch(branches.get(), false));
    boolean isThen = ModelInputs.areTokens(then.model().graph());
    LoadedModel first = isThen ? then : otherwise;
    return SharedExperts.areTwins(first, isThen ? otherwise : then) ? first : whole;
  }

  private LoadedModel taking(Branch taken) {
    return new LoadedModel(
        read.with(taken.all().taken(taken.condition())), target, Optional.of(taken));
  }

  /** The branch that this is the model of, where the file has several. */
  Optional<Branch> branch() {
    return branch;
  }

  /** The model of the other branch. */
  Optional<LoadedModel> otherBranch() {
    return branch.map(taken -> taking(new Branch(taken.all(), !taken.condition())));
  }

  /** How messages call it: by its file, and by its branch if it is the model of one. */
  public String name() {
    String name = file().getFileName().toString();
    return branch.map(taken -> taken.name() + " of " + name).orElse(name);
  }

  /** The whole file, with what was made of the model of this branch and of the other's. */
  Model joined(Model own, Model other) {
    Branch taken = branch.orElseThrow();
    return (taken.condition() ? taken.all().joined(own, other) : taken.all().joined(other, own))
        .withMetadata(own.metadata());
  }

  /** Inputs of the file that the model of the branch does not have. */
  Set<String> otherInputs() {
    return branch
        .map(
            taken -> {
              Set<String> others = new LinkedHashSet<>(taken.all().inputs());
              read.model().graph().feeds().forEach(input -> others.remove(input.name()));
              return others;
            })
        .orElse(Set.of());
  }

  public ReadModel read() {
    return read;
  }

  /** What the model is meant to run on, for which it was read. */
  public Target target() {
    return target;
  }

  public MoeFinder.Findings findings() {
    return findings;
  }

  public Path given() {
    return read.given();
  }

  public ModelFiles files() {
    return read.files();
  }

  /** Of the model's files, and of what its functions take where they are called. */
  long bytes() {
    return read.bytes();
  }

  public Model model() {
    return read.model();
  }

  /** The model file. */
  public Path file() {
    return read.file();
  }

  /** The folder that the model's files lie in. */
  public Path folder() {
    return read.folder();
  }

  /** True where a folder was given: what else lies in it goes where the rewritten model goes. */
  public boolean isFolder() {
    return !given().equals(file());
  }

  public List<MoeBlock> blocks() {
    return findings.blocks();
  }

  /**
   * A block by name.
   *
   * @throws BadInputException if it was not found
   */
  MoeBlock block(String name) {
    return blocks().stream()
        .filter(block -> block.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new BadInputException(
                    "%s: no block '%s' was found for target %s".formatted(given(), name, target)));
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
              ? given() + ": no Mixture-of-Experts block was found"
              : given() + ": every block was refused:\n" + text(findings.refusals()));
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

  /** Tells the model apart ({@link Fingerprint}); computed when it is first asked for. */
  public String fingerprint() {
    if (fingerprint == null) {
      fingerprint =
          Fingerprint.of(
              read.canonical().original(),
              blocks().stream().map(block -> block.routing().router()).collect(Collectors.toSet()));
    }
    return fingerprint;
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
              .formatted(from, profile.model(), given(), fingerprint));
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
      blocks().forEach(block -> requireOwners(plan, block));
      requireCuts(plan);
    } catch (BadInputException e) {
      throw new BadInputException(from + ": " + e.getMessage(), e);
    }
  }

  private static void requireOwners(Plan plan, MoeBlock block) {
    Stream.concat(
            plan.pruned(block.name()).stream(),
            plan.narrowed(block.name()).stream().map(Plan.Narrowed::expert))
        .filter(block.weightless()::contains)
        .findFirst()
        .ifPresent(
            expert -> {
              throw new BadInputException(
                  "block '%s': the plan names expert %d, expected experts that own weights: %s"
                      .formatted(block.name(), expert, block.owners()));
            });
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
          new Removal(pruned).router(model().graph(), block);
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
            .map(block -> RouterCut.of(model().graph(), block.routing()))
            .anyMatch(router -> router.objection(Set.of()).isEmpty());
    if (!isAny) {
      new Removal(new TreeSet<>()).router(model().graph(), blocks().get(0));
    }
  }
}
