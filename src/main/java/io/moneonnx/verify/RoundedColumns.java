package io.moneonnx.verify;

import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Ffn;
import io.moneonnx.moe.Ffn.Packed;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.RoundedMatrix;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * Writes the integers of rounded down projections where their neurons are at full width, with their
 * scales and zero points. What lost neurons have stays there: it is met by zeros only.
 *
 * @param owners how many experts have theirs in one constant
 */
record RoundedColumns(Ops ops, Ffn ffn, int owners) {
  /** By their place in the constant; those that are not rounded again stay as they are. */
  void apply(Map<Integer, NarrowExpert> narrow) {
    Map<Integer, NarrowExpert> rounded = new HashMap<>(narrow);
    rounded.values().removeIf(expert -> expert.rounded().isEmpty());
    if (rounded.isEmpty()) {
      return;
    }
    Packed packed = ffn.down().packed().orElseThrow();
    Node node = ops.edit().graph().producer(ffn.down().product()).orElseThrow();
    byte[] integers = bytes(node, packed.weight());
    rounded.forEach((place, expert) -> integers(integers, place, expert, packed));
    set(node, packed.weight(), integers);
    float[] scales = constant(node, packed.scales()).toFloats();
    rounded.forEach((place, expert) -> scales(scales, place, expert, packed));
    Tensor before = constant(node, packed.scales());
    ops.edit()
        .setInput(
            node,
            packed.scales(),
            ops.constant("scales", Tensor.of(before.type(), before.dims(), scales)));
    if (packed.zeros().isPresent()) {
      byte[] zeros = bytes(node, packed.zeros().getAsInt());
      rounded.forEach((place, expert) -> zeros(zeros, place, expert, packed));
      set(node, packed.zeros().getAsInt(), zeros);
    }
  }

  private Tensor constant(Node node, int input) {
    return ops.edit().graph().constant(node.input(input)).orElseThrow();
  }

  private byte[] bytes(Node node, int input) {
    ByteBuffer all = constant(node, input).bytes();
    byte[] copy = new byte[all.remaining()];
    all.get(copy);
    return copy;
  }

  private void set(Node node, int input, byte... bytes) {
    Tensor before = constant(node, input);
    Tensor made = new Tensor.Inline(before.type(), before.dims(), ByteBuffer.wrap(bytes));
    ops.edit().setInput(node, input, ops.constant("rounded", made));
  }

  private void integers(byte[] all, int place, NarrowExpert expert, Packed packed) {
    RoundedMatrix down = expert.rounded().orElseThrow();
    long perRow = all.length / ((long) owners * ffn.hidden());
    for (int row = 0; row < ffn.hidden(); row++) {
      long from = ((long) place * ffn.hidden() + row) * perRow * Byte.SIZE;
      for (int column = 0; column < expert.width(); column++) {
        long neuron = expert.neurons().get(column);
        put(all, from + neuron * packed.bits(), packed.bits(), down.code(row, column));
      }
    }
  }

  private void scales(float[] all, int place, NarrowExpert expert, Packed packed) {
    RoundedMatrix down = expert.rounded().orElseThrow();
    int perRow = all.length / owners / ffn.hidden();
    for (int row = 0; row < ffn.hidden(); row++) {
      int from = (place * ffn.hidden() + row) * perRow;
      for (int at = 0; at < down.blocks(); at++) {
        all[from + block(expert, at, packed)] = down.scale(row, at);
      }
    }
  }

  private void zeros(byte[] all, int place, NarrowExpert expert, Packed packed) {
    RoundedMatrix down = expert.rounded().orElseThrow();
    boolean isOfRows = packed.block() == 0;
    long each = all.length / (isOfRows ? owners : (long) owners * ffn.hidden());
    for (int row = 0; row < ffn.hidden(); row++) {
      for (int at = 0; at < down.blocks(); at++) {
        long bit =
            isOfRows
                ? place * each * Byte.SIZE + (long) row * packed.bits()
                : ((long) place * ffn.hidden() + row) * each * Byte.SIZE
                    + (long) block(expert, at, packed) * packed.bits();
        put(all, bit, packed.bits(), down.zero(row, at));
      }
    }
  }

  /** Which block of the original the neurons of a block come from. */
  private static int block(NarrowExpert expert, int at, Packed packed) {
    return packed.block() == 0 ? 0 : expert.neurons().get(at * packed.block()) / packed.block();
  }

  private static void put(byte[] all, long bit, int bits, int number) {
    int at = Math.toIntExact(bit / Byte.SIZE);
    int shift = (int) (bit % Byte.SIZE);
    int mask = ((1 << bits) - 1) << shift;
    all[at] = (byte) ((all[at] & ~mask) | ((number << shift) & mask));
  }
}
