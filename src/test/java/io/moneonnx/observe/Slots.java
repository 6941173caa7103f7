package io.moneonnx.observe;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.MadeStatistics;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Values;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What the experts of a tiny model computed for each choice of each token, read directly from its
 * values, and the statistics of that as their definitions say: plainly, in double precision.
 */
final class Slots {
  private record Slot(int token, int expert, double gate, Values f) {}

  private final MoeBlock block;
  private final List<Slot> slots = new ArrayList<>();
  private final List<Values> routed = new ArrayList<>();

  Slots(MoeBlock block) {
    this.block = block;
  }

  /** Runs the model as it is and takes the tokens that {@code counts} names. */
  Slots add(TinyMoe tiny, Map<String, Tensor> feeds, boolean... counts) {
    Map<String, Tensor> values = TinyMoe.run(tiny.shown(), feeds, names(tiny));
    int k = tiny.topK();
    int first = routed.size();
    for (Values y : rows(values.get("routed"), tiny.hidden())) {
      routed.add(y);
    }
    Values[] raw = new Values[(routed.size() - first) * k];
    if (tiny.spelling().isSorted()) {
      long[] order = values.get("order").toLongs();
      for (int row = 0; row < order.length; row++) {
        raw[(int) order[row]] = rows(values.get("raw"), tiny.hidden())[row];
      }
    } else if (tiny.spelling() == Spelling.STACKED) {
      long[] chosen = values.get("experts").toLongs();
      Values[] all = rows(values.get("raw"), tiny.hidden());
      int tokens = chosen.length / k;
      for (int slot = 0; slot < chosen.length; slot++) {
        raw[slot] = all[(int) chosen[slot] * tokens + slot / k];
      }
    } else if (tiny.spelling().isPerSlot()) {
      raw = rows(values.get("raw"), tiny.hidden());
    } else if (tiny.spelling().isDense()) {
      long[] chosen = values.get("experts").toLongs();
      for (int slot = 0; slot < chosen.length; slot++) {
        raw[slot] = rows(values.get("raw" + chosen[slot]), tiny.hidden())[slot / k];
      }
    } else {
      for (int e = 0; e < tiny.experts(); e++) {
        Values[] own = rows(values.get("raw" + e), tiny.hidden());
        for (int row = 0; row < own.length; row++) {
          long slot = values.get("slot" + e).toLongs()[row];
          long token =
              tiny.spelling() == Spelling.BUFFER ? 0 : values.get("token" + e).toLongs()[row];
          raw[(int) (token * k + slot)] = own[row];
        }
      }
    }
    long[] ids = values.get("experts").toLongs();
    float[] gates = values.get("gates").toFloats();
    for (int slot = raw.length - 1; slot >= 0; slot--) {
      if (counts[slot / k]) {
        slots.add(new Slot(first + slot / k, (int) ids[slot], gates[slot], raw[slot]));
      }
    }
    for (int token = counts.length - 1; token >= 0; token--) {
      if (!counts[token]) {
        routed.set(first + token, null);
      }
    }
    return this;
  }

  private static List<String> names(TinyMoe tiny) {
    List<String> names = new ArrayList<>(List.of("experts", "gates", "routed"));
    if (tiny.spelling().isSorted()) {
      names.addAll(List.of("raw", "order"));
      return names;
    }
    if (tiny.spelling().isPerSlot() || tiny.spelling() == Spelling.STACKED) {
      names.add("raw");
      return names;
    }
    for (int e = 0; e < tiny.experts(); e++) {
      names.add("raw" + e);
      if (tiny.spelling() == Spelling.BUFFER) {
        names.add("slot" + e);
      } else if (!tiny.spelling().isDense()) {
        names.addAll(List.of("token" + e, "slot" + e));
      }
    }
    return names;
  }

  private static Values[] rows(Tensor tensor, int width) {
    float[] values = tensor.toFloats();
    return IntStream.range(0, values.length / width)
        .mapToObj(row -> IntStream.range(0, width).mapToDouble(i -> values[row * width + i]))
        .map(row -> Values.of(row.toArray()))
        .toArray(Values[]::new);
  }

  BlockStatistics statistics() {
    int experts = block.experts();
    int hidden = block.hidden();
    long[] n = new long[experts];
    double[][] sums = new double[6][experts];
    double[] mean = new double[experts * hidden];
    double[] m2 = new double[experts * hidden];
    double[] gmean = new double[experts * hidden];
    double[] r2 = new double[experts];
    double[] peak = new double[experts];
    for (int e = 0; e < experts; e++) {
      List<Slot> own = of(e);
      n[e] = own.size();
      for (Slot slot : own) {
        double g = slot.gate();
        double norm = Math.sqrt(squares(slot.f()));
        double[] addends = {g, g * g, norm, norm * norm, g * norm, g * g * norm * norm};
        for (int s = 0; s < addends.length; s++) {
          sums[s][e] += addends[s];
        }
        peak[e] = Math.max(peak[e], slot.f().stream().map(Math::abs).max().orElseThrow());
      }
      for (int i = 0; i < hidden; i++) {
        int at = e * hidden + i;
        for (Slot slot : own) {
          mean[at] += slot.f().get(i) / n[e];
          gmean[at] += square(slot.gate()) * slot.f().get(i) / sums[1][e];
        }
        for (Slot slot : own) {
          m2[at] += square(slot.f().get(i) - mean[at]);
          r2[e] += square(slot.gate()) * square(slot.f().get(i) - gmean[at]);
        }
      }
    }
    return MadeStatistics.of(
            new BlockHeader(
                block.name(),
                block.form(),
                experts,
                block.topK(),
                hidden,
                block.inner(),
                block.expertBytes()))
        .with(Statistic.N, Values.counts(n))
        .withSums(sums)
        .with(Statistic.MEAN, Values.of(mean))
        .with(Statistic.M2, Values.of(m2))
        .with(Statistic.GMEAN, Values.of(gmean))
        .with(Statistic.R2, Values.of(r2))
        .with(Statistic.PEAK, Values.of(peak))
        .with(Statistic.T, Values.counts(routed.stream().filter(y -> y != null).count()))
        .with(Statistic.C, Values.counts(together()))
        .with(
            Statistic.Y2,
            Values.of(routed.stream().filter(y -> y != null).mapToDouble(Slots::squares).sum()))
        .block();
  }

  /** The least M2 as {@code sum f^2 - (sum f)^2 / n} in float32: what cancellation makes of it. */
  float lowestSquaresBySums() {
    float lowest = Float.POSITIVE_INFINITY;
    for (int e = 0; e < block.experts(); e++) {
      for (int i = 0; i < block.hidden(); i++) {
        float sum = 0;
        float squares = 0;
        for (Slot slot : of(e)) {
          float f = (float) slot.f().get(i);
          sum += f;
          squares += f * f;
        }
        lowest = Math.min(lowest, squares - sum * sum / of(e).size());
      }
    }
    return lowest;
  }

  private List<Slot> of(int expert) {
    return slots.stream().filter(slot -> slot.expert() == expert).toList();
  }

  private long[] together() {
    int experts = block.experts();
    long[] together = new long[experts * experts];
    for (Slot a : slots) {
      for (Slot b : slots) {
        if (a.token() == b.token()) {
          together[a.expert() * experts + b.expert()]++;
        }
      }
    }
    return together;
  }

  private static double squares(Values vector) {
    return vector.stream().map(Slots::square).sum();
  }

  private static double square(double value) {
    return value * value;
  }
}
