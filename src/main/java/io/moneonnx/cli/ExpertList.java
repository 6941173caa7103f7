package io.moneonnx.cli;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Numbers of experts, short: {@code 0 2 5-8}. */
final class ExpertList {
  private static final int RUN = 3;

  private ExpertList() {}

  /**
   * As text.
   *
   * @param experts ascending
   */
  static String of(Collection<Integer> experts) {
    List<Integer> numbers = List.copyOf(experts);
    List<String> parts = new ArrayList<>();
    int from = 0;
    while (from < numbers.size()) {
      int to = from;
      while (to + 1 < numbers.size() && numbers.get(to + 1) == numbers.get(to) + 1) {
        to++;
      }
      if (to - from + 1 < RUN) {
        to = from;
      }
      parts.add(to == from ? "" + numbers.get(from) : numbers.get(from) + "-" + numbers.get(to));
      from = to + 1;
    }
    return String.join(" ", parts);
  }
}
