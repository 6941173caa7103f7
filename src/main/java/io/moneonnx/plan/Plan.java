package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import java.math.BigDecimal;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which experts go. Blocks that a plan leaves out lose none.
 *
 * @param model fingerprint of the model that it is for
 * @param criterion what ranked the experts, unless a person chose them
 * @param ratio the part of each block's experts that was asked for, if one was
 */
public record Plan(
    String model,
    Optional<String> criterion,
    Router router,
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
