package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import java.math.BigDecimal;
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
 * @param novice what stands in for those that go
 * @param budget what was asked for, to be read by people
 * @param ratio the part of the experts that was asked for, if one was
 */
public record Plan(
    String model,
    Optional<String> profile,
    Optional<String> criterion,
    Optional<Novice> novice,
    Router router,
    Optional<String> budget,
    Optional<BigDecimal> ratio,
    List<Block> blocks) {
  public Plan {
    blocks = List.copyOf(blocks);
    Set<String> names = new HashSet<>();
    for (Block block : blocks) {
      if (!names.add(block.name)) {
        throw new BadInputException("block '" + block.name + "' is listed twice");
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
   */
  public record Block(String name, int experts, List<Integer> pruned) {
    public Block {
      pruned = List.copyOf(pruned);
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
    }
  }

  /** The experts of this block that go; none if the plan leaves it out. */
  public List<Integer> pruned(String block) {
    return blocks.stream()
        .filter(planned -> planned.name.equals(block))
        .findFirst()
        .map(Block::pruned)
        .orElse(List.of());
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
