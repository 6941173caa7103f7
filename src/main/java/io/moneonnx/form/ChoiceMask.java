package io.moneonnx.form;

import io.moneonnx.passes.EqualMask;
import io.moneonnx.passes.ExpertMask;
import io.moneonnx.passes.OneHotMask;
import java.util.Optional;

/**
 * The choices that are one expert.
 *
 * @param indices the routing indices
 * @param value {@code [...]}, an element for each choice, not 0 where it is the expert
 * @param kept the mask of all experts, if it has fewer hits than there are choices
 */
record ChoiceMask(String indices, int expert, String value, Optional<String> kept) {
  /** The mask, if it is that of one expert. */
  static Optional<ChoiceMask> of(ExpertMask mask) {
    long[] id = mask.expert().integers();
    if (id.length != 1 || id[0] < 0) {
      return Optional.empty();
    } else if (mask instanceof OneHotMask column) {
      return of(column, id[0]);
    }
    EqualMask equal = (EqualMask) mask;
    return Optional.of(
        new ChoiceMask(equal.experts(), (int) id[0], equal.mask(), Optional.empty()));
  }

  private static Optional<ChoiceMask> of(OneHotMask mask, long column) {
    long expert = column;
    if (mask.classes().isPresent()) {
      long[] classes = mask.classes().get().integers();
      if (column >= classes.length) {
        return Optional.empty();
      }
      expert = classes[(int) column];
    }
    Optional<String> kept = Optional.of(mask.kept()).filter(all -> !all.equals(mask.hot()));
    return Optional.of(new ChoiceMask(mask.experts(), (int) expert, mask.mask(), kept));
  }
}
