package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.profile.BlockHeader;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What must stay.
 *
 * @param minKeep experts that stay in each block at least; if absent 1, or with a cut router as
 *     many as it chooses
 */
public record Limits(OptionalInt minKeep, List<Protection> protections) {
  /** Nothing but what every plan must leave. */
  public static final Limits NONE = new Limits(OptionalInt.empty(), List.of());

  public Limits {
    protections = List.copyOf(protections);
    if (minKeep.orElse(0) < 0) {
      throw new BadInputException("min-keep: found " + minKeep.getAsInt() + ", expected 0 or more");
    }
  }

  /** How many experts of this block stay at least. */
  int minKeep(Plan.Router router, BlockHeader block) {
    int least = router == Plan.Router.CUT ? block.topK() : 0;
    int kept = minKeep.orElse(Math.max(1, least));
    if (kept < least) {
      throw new BadInputException(
          "min-keep %d with router cut: the router of block '%s' chooses %d experts a token"
              .formatted(kept, block.name(), block.topK()));
    }
    return kept;
  }

  /** The experts that must stay, by block. */
  Map<String, Set<Integer>> held(List<Measurements.Block> blocks) {
    Map<String, Set<Integer>> held = new HashMap<>();
    for (Protection protection : protections) {
      protection
          .of(blocks)
          .forEach(
              (block, experts) ->
                  held.computeIfAbsent(block, name -> new HashSet<>()).addAll(experts));
    }
    return held;
  }

  /** As they are asked for on a command line, without dashes; empty if none are. */
  @Override
  public String toString() {
    String protectedExperts =
        protections.stream().map(protection -> ", " + protection).collect(Collectors.joining());
    return (minKeep.isPresent() ? ", min-keep " + minKeep.getAsInt() : "") + protectedExperts;
  }
}
