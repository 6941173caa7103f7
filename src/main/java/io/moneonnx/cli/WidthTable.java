package io.moneonnx.cli;

import io.moneonnx.json.Fields;
import io.moneonnx.plan.Plan;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.Profile;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** How wide a plan leaves the experts of a block. */
record WidthTable(Plan.Block planned, BlockHeader header) {
  static WidthTable of(Profile profile, Plan.Block planned) {
    return new WidthTable(planned, profile.block(planned.name()).orElseThrow().header());
  }

  static Object[] head() {
    return new Object[] {
      "block", "experts", "whole", "narrowed", "removed", "smallest", "median", "largest", "of"
    };
  }

  /** A row's cells: how many experts there are of each kind, and the widths of those that stay. */
  List<Object> cells() {
    int[] staying = staying().sorted().toArray();
    int narrowed = Math.toIntExact(staying().filter(width -> width < header.inner()).count());
    int removed = planned.pruned().size();
    List<Object> cells =
        new ArrayList<>(
            List.of(
                planned.name(),
                header.owners().size(),
                header.owners().size() - narrowed - removed,
                narrowed,
                removed));
    cells.addAll(
        staying.length == 0
            ? List.of("-", "-", "-")
            : List.of(staying[0], staying[staying.length / 2], staying[staying.length - 1]));
    cells.add(header.inner());
    return cells;
  }

  /** Neurons of all experts together. */
  long neurons() {
    return widths().stream().mapToLong(Integer::longValue).sum();
  }

  private IntStream staying() {
    return widths().stream().mapToInt(Integer::intValue).filter(width -> width > 0);
  }

  private List<Integer> widths() {
    return planned.widths(header.inner());
  }

  /** The widths for programs, expert by expert. */
  Fields addTo(Fields block) {
    return block.with("inner", header.inner()).with("widths", widths());
  }
}
