package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Experts that the user names. */
public record NamedExperts(List<Named> experts) implements Protection {
  public NamedExperts {
    experts = List.copyOf(experts);
  }

  /**
   * One of them.
   *
   * @param block its name, or its place in the blocks' order from 0
   */
  public record Named(String block, int expert) {
    @Override
    public String toString() {
      return block + ":" + expert;
    }
  }

  /** Reads {@code BLOCK:EXPERT,BLOCK:EXPERT...}. */
  public static NamedExperts parse(String text) {
    List<Named> experts = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      int colon = part.lastIndexOf(':');
      try {
        experts.add(
            new Named(
                part.substring(0, colon).strip(),
                Integer.parseInt(part.substring(colon + 1).strip())));
      } catch (IndexOutOfBoundsException | NumberFormatException e) {
        throw new BadInputException(
            "protect: found '%s', expected BLOCK:EXPERT, such as layers.0:3 or 0:3".formatted(part),
            e);
      }
    }
    return new NamedExperts(experts);
  }

  @Override
  public Map<String, Set<Integer>> of(List<Measurements.Block> blocks) {
    Map<String, Set<Integer>> held = new HashMap<>();
    for (Named named : experts) {
      Measurements.Block block = block(named, blocks);
      if (named.expert() < 0 || named.expert() >= block.experts()) {
        throw new BadInputException(
            "protect: block '%s' has no expert %d; its experts are 0 to %d"
                .formatted(block.name(), named.expert(), block.experts() - 1));
      }
      held.computeIfAbsent(block.name(), name -> new HashSet<>()).add(named.expert());
    }
    return held;
  }

  private static Measurements.Block block(Named named, List<Measurements.Block> blocks) {
    for (int i = 0; i < blocks.size(); i++) {
      if (blocks.get(i).name().equals(named.block())) {
        return blocks.get(i);
      }
    }
    if (named.block().matches("\\d{1,9}") && Integer.parseInt(named.block()) < blocks.size()) {
      return blocks.get(Integer.parseInt(named.block()));
    }
    throw new BadInputException(
        "protect: no block '%s'; there are %s, or 0 to %d"
            .formatted(
                named.block(),
                blocks.stream().map(Measurements.Block::name).collect(Collectors.joining(", ")),
                blocks.size() - 1));
  }

  @Override
  public String toString() {
    return "protect " + experts.stream().map(Named::toString).collect(Collectors.joining(","));
  }
}
