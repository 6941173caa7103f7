package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which experts go. Blocks that a plan leaves out lose none. What says where a plan came from is
 * absent where a person made it.
 *
 * @param model fingerprint of the model that it is for
 * @param profile {@link io.moneonnx.profile.Profile#id} of the profile that it was made from
 * @param criterion what ranked the experts
 * @param novice what stands in for those that go; absent too where the router is cut
 * @param budget what was asked for, to be read by people
 * @param ratio the part of the experts that was asked for, if one was
 * @param requantize whether quantised down projections of narrowed experts are re-fitted and
 *     quantised again; absent for no
 */
public record Plan(
    String model,
    Optional<String> profile,
    Optional<String> criterion,
    Optional<Novice> novice,
    Router router,
    Optional<String> budget,
    Optional<BigDecimal> ratio,
    Optional<Boolean> requantize,
    List<Block> blocks) {
  public Plan {
    blocks = List.copyOf(blocks);
    Set<String> names = new HashSet<>();
    for (Block block : blocks) {
      if (!names.add(block.name)) {
        throw new BadInputException("block '" + block.name + "' is listed twice");
      }
      if (router == Router.CUT && block.narrowed.isPresent()) {
        throw new BadInputException(
            "block '%s': 'narrowed' requires the router 'keep', found 'cut'".formatted(block.name));
      }
    }
  }

  /** A plan of which nothing is known but what is to be done. */
  public static Plan of(String model, Router router, List<Block> blocks) {
    return new Plan(
        model,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        router,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        blocks);
  }

  /** What becomes of the router. */
  public enum Router {
    /** It stays as it is, and novices answer for the experts that are gone. */
    KEEP,
    /** It loses the experts that are gone, and chooses among the others. */
    CUT;

    /** As it is written in plans, on a command line and in a model's metadata. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * One block's part.
   *
   * @param experts how many it has before anything goes
   * @param pruned those that go, each once; may be all
   * @param narrowed those that lose neurons, each once; absent if none does
   */
  public record Block(
      String name, int experts, List<Integer> pruned, Optional<List<Narrowed>> narrowed) {
    public Block {
      pruned = List.copyOf(pruned);
      narrowed = narrowed.filter(some -> !some.isEmpty()).map(List::copyOf);
      Set<Integer> seen = new HashSet<>();
      for (int expert : pruned) {
        if (expert < 0 || expert >= experts) {
          throw new BadInputException(
              "block '%s': 'pruned' names expert %d; its experts are 0 to %d"
                  .formatted(name, expert, experts - 1));
        }
        if (!seen.add(expert)) {
          throw new BadInputException(
              "block '%s': 'pruned' names expert %d twice".formatted(name, expert));
        }
      }
      for (Narrowed expert : narrowed.orElse(List.of())) {
        if (expert.expert < 0 || expert.expert >= experts) {
          throw new BadInputException(
              "block '%s': 'narrowed' names expert %d; its experts are 0 to %d"
                  .formatted(name, expert.expert, experts - 1));
        }
        if (!seen.add(expert.expert)) {
          throw new BadInputException(
              "block '%s': expert %d is named twice in 'pruned' and 'narrowed'"
                  .formatted(name, expert.expert));
        }
      }
    }

    /**
     * The width of each expert, 0 for those that go.
     *
     * @param inner neurons of an expert before anything goes
     */
    public List<Integer> widths(int inner) {
      List<Integer> widths = new ArrayList<>(Collections.nCopies(experts, inner));
      pruned.forEach(expert -> widths.set(expert, 0));
      narrowed.ifPresent(some -> some.forEach(expert -> widths.set(expert.expert, expert.width)));
      return widths;
    }

    /** No expert is narrowed. */
    public Block(String name, int experts, List<Integer> pruned) {
      this(name, experts, pruned, Optional.empty());
    }
  }

  /**
   * An expert that loses neurons.
   *
   * @param width how many it keeps
   * @param kept which ones, ascending; if absent the last of their order of removal
   */
  public record Narrowed(int expert, int width, Optional<List<Integer>> kept) {
    public Narrowed {
      kept = kept.map(List::copyOf);
      if (width < 1) {
        throw new BadInputException(
            "expert %d: 'width' is %d, expected 1 or more; one that keeps no neuron is 'pruned'"
                .formatted(expert, width));
      }
      if (kept.isPresent() && kept.get().size() != width) {
        throw new BadInputException(
            "expert %d: 'width' is %d, and 'kept' names %d neurons; change both or leave out 'kept'"
                .formatted(expert, width, kept.get().size()));
      }
      List<Integer> neurons = kept.orElse(List.of());
      for (int i = 0; i < neurons.size(); i++) {
        if (neurons.get(i) < 0 || (i > 0 && neurons.get(i) <= neurons.get(i - 1))) {
          throw new BadInputException(
              "expert %d: 'kept' holds %d after %s, expected neurons from 0, ascending"
                  .formatted(expert, neurons.get(i), i == 0 ? "nothing" : neurons.get(i - 1)));
        }
      }
    }
  }

  /** Whether quantised down projections are re-fitted and quantised again. */
  public boolean isRequantized() {
    return requantize.orElse(false);
  }

  /** Whether any expert loses neurons, and stays. */
  public boolean isNarrow() {
    return blocks.stream().anyMatch(block -> block.narrowed.isPresent());
  }

  /** The experts of this block that go; none if the plan leaves it out. */
  public List<Integer> pruned(String block) {
    return block(block).map(Block::pruned).orElse(List.of());
  }

  /** The experts of this block that lose neurons, and stay. */
  public List<Narrowed> narrowed(String block) {
    return block(block).flatMap(Block::narrowed).orElse(List.of());
  }

  /** The part of a block; empty if the plan leaves it out. */
  public Optional<Block> block(String name) {
    return blocks.stream().filter(planned -> planned.name.equals(name)).findFirst();
  }

  /**
   * Says that blocks are left with different numbers of experts, where they had the same: some
   * runtimes want equal ones.
   */
  public Optional<String> note() {
    IntSummaryStatistics before = blocks.stream().mapToInt(Block::experts).summaryStatistics();
    IntSummaryStatistics kept =
        blocks.stream().mapToInt(block -> block.experts - block.pruned.size()).summaryStatistics();
    return before.getMin() < before.getMax() || kept.getMin() == kept.getMax()
        ? Optional.empty()
        : Optional.of(
            "blocks keep different numbers of experts, %d to %d: some runtimes want equal ones"
                .formatted(kept.getMin(), kept.getMax()));
  }

  /**
   * Throws {@link BadInputException} if this plan says that it was made from another profile.
   *
   * @param id of the profile at hand
   */
  public void checkProfile(String id) {
    if (profile.isPresent() && !profile.get().equals(id)) {
      throw new BadInputException(
          "the plan was made from another profile: its 'profile' is %s, this profile is %s"
              .formatted(profile.get(), id));
    }
  }

  /**
   * Throws {@link BadInputException} unless this plan is for a model of this fingerprint, whose
   * blocks have these numbers of experts by name.
   */
  public void check(String fingerprint, Map<String, Integer> experts) {
    if (!model.equals(fingerprint)) {
      throw new BadInputException(
          "the plan is for another model: its 'model' is %s, this model's fingerprint is %s"
              .formatted(model, fingerprint));
    }
    for (Block block : blocks) {
      Integer found = experts.get(block.name);
      if (found == null) {
        throw new BadInputException(
            "the plan's block '%s' is not in the model; its blocks are %s"
                .formatted(block.name, String.join(", ", experts.keySet())));
      }
      if (found != block.experts) {
        throw new BadInputException(
            "the plan's block '%s' has %d 'experts', the model's has %d"
                .formatted(block.name, block.experts, found));
      }
    }
  }
}
