package io.moneonnx.moe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Ffn.Packed;
import io.moneonnx.moe.Ffn.Projection;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Writes rounded down projections in place of those that an operator reads: integers, scales and
 * zero points, each as the model's are laid out, of the width that is left.
 *
 * @param matrices in the order of the experts; empty for one that is removed behind the edit
 */
record RoundedDown(
    Graph graph, Node node, Projection down, int width, List<Optional<RoundedMatrix>> matrices) {
  RoundedDown {
    matrices = List.copyOf(matrices);
  }

  /** The inputs that change, and what they are then. */
  interface Setting {
    void set(int input, String value);
  }

  void apply(Ops ops, Setting setting) {
    Packed packed = down.packed().orElseThrow();
    int blocks = packed.block() == 0 ? 1 : width / packed.block();
    boolean isRow = packed.block() == 0;
    set(
        ops,
        setting,
        packed.weight(),
        bytes(packed.bits(), down.width(), width, RoundedMatrix::code));
    set(ops, setting, packed.scales(), scales(packed.scales(), blocks));
    packed
        .zeros()
        .ifPresent(
            zeros ->
                set(
                    ops,
                    setting,
                    zeros,
                    isRow
                        ? bytes(packed.bits(), 1, down.width(), (m, one, row) -> m.zero(row, 0))
                        : bytes(packed.bits(), down.width(), blocks, RoundedMatrix::zero)));
  }

  private interface Integers {
    int of(RoundedMatrix matrix, int row, int column);
  }

  /** Numbers of some bits each, the first in the lowest ones of a byte; rows begin at bytes. */
  private Tensor bytes(int bits, int rows, int columns, Integers number) {
    int perRow = (columns * bits + 7) / Byte.SIZE;
    byte[] all = new byte[Math.multiplyExact(matrices.size() * rows, perRow)];
    for (int i = 0; i < matrices.size() * rows; i++) {
      if (matrices.get(i / rows).isPresent()) {
        RoundedMatrix matrix = matrices.get(i / rows).get();
        for (int column = 0; column < columns; column++) {
          int bit = column * bits;
          all[i * perRow + bit / Byte.SIZE] |=
              (byte) (number.of(matrix, i % rows, column) << bit % Byte.SIZE);
        }
      }
    }
    return new Tensor.Inline(ElementType.UINT8, List.of((long) all.length), ByteBuffer.wrap(all));
  }

  private Tensor scales(int input, int blocks) {
    int perExpert = down.width() * blocks;
    float[] all = new float[matrices.size() * perExpert];
    for (int i = 0; i < all.length; i++) {
      int at = i % perExpert;
      Optional<RoundedMatrix> matrix = matrices.get(i / perExpert);
      all[i] = matrix.isEmpty() ? 0 : matrix.get().scale(at / blocks, at % blocks);
    }
    return Tensor.of(constant(input).type(), List.of((long) all.length), all);
  }

  private Tensor constant(int input) {
    return graph.constant(node.input(input)).orElseThrow();
  }

  /** The axes stay; the last but that of a block's bytes is as long as there is left. */
  private void set(Ops ops, Setting setting, int input, Tensor made) {
    Tensor before = constant(input);
    List<Long> dims = new ArrayList<>(before.dims());
    if (before.elements() != made.elements()) {
      int axis = Math.min(dims.size() - 1, matrices.size() > 1 ? 2 : 1);
      dims.set(axis, made.elements() * dims.get(axis) / before.elements());
    }
    Tensor laidOut = made.reshaped(dims);
    setting.set(
        input,
        matrices.size() > 1
            ? ops.inPlaceOf(node.input(input), "down", laidOut)
            : ops.constant("down", laidOut));
  }
}
