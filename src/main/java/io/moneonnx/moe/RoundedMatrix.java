package io.moneonnx.moe;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Ffn.Packed;
import java.util.List;

/**
 * A down projection {@code [hidden, width]} rounded to the nearest integers of as many bits as the
 * model's has, with a scale for each block of a row:
 *
 * <pre>{@code
 * down[row, column] = (code - zero) * scale
 * }</pre>
 *
 * Where zero points are stored, a block's integers reach from its least number, or 0, to its
 * largest; else the number of the largest magnitude is the least integer.
 */
public final class RoundedMatrix {
  private final int hidden;
  private final int width;
  private final int block;
  private final int[] codes;
  private final float[] scales;
  private final int[] zeros;

  private RoundedMatrix(int hidden, int width, int block) {
    this.hidden = hidden;
    this.width = width;
    this.block = block;
    this.codes = new int[hidden * width];
    this.scales = new float[hidden * blocks()];
    this.zeros = new int[hidden * blocks()];
  }

  /**
   * Rounds a matrix as the down projection of an expert is stored.
   *
   * @param values row by row
   * @throws BadInputException if its zero points are no integers, or a scale is not finite in the
   *     type of the model's scales
   */
  public static RoundedMatrix of(Graph graph, Ffn ffn, float... values) {
    Packed packed = ffn.down().packed().orElseThrow();
    Node node = graph.producer(ffn.down().product()).orElseThrow();
    ElementType scale =
        Weight.behind(graph, node.input(packed.scales())).orElseThrow().tensor().type();
    packed
        .zeros()
        .ifPresent(
            zeros -> {
              ElementType type =
                  Weight.behind(graph, node.input(zeros)).orElseThrow().tensor().type();
              if (type != ElementType.UINT8) {
                throw new BadInputException(
                    "requantize: zero points '%s': expected uint8, found %s"
                        .formatted(node.input(zeros), type.text()));
              }
            });
    int width = values.length / ffn.hidden();
    RoundedMatrix rounded =
        new RoundedMatrix(ffn.hidden(), width, packed.block() == 0 ? width : packed.block());
    for (int row = 0; row < ffn.hidden(); row++) {
      for (int at = 0; at < rounded.blocks(); at++) {
        rounded.round(row, at, packed, scale, values);
      }
    }
    return rounded;
  }

  private void round(int row, int at, Packed packed, ElementType type, float... values) {
    int from = row * width + at * block;
    int to = Math.min(from + block, (row + 1) * width);
    int most = (1 << packed.bits()) - 1;
    int middle = 1 << (packed.bits() - 1);
    float least = 0;
    float largest = 0;
    for (int i = from; i < to; i++) {
      least = Math.min(least, values[i]);
      largest = Math.max(largest, values[i]);
    }
    boolean isShifted = packed.zeros().isPresent();
    float wanted =
        isShifted ? (largest - least) / most : (-least > largest ? least : largest) / -middle;
    float scale = Tensor.of(type, List.of(1L), wanted).toFloats()[0];
    if (!Float.isFinite(scale)) {
      throw new BadInputException(
          "requantize: expected finite scales in %s, found %s".formatted(type.text(), wanted));
    }
    int zero = !isShifted ? middle : scale == 0 ? 0 : limited(-least / scale, most);
    scales[row * blocks() + at] = scale;
    zeros[row * blocks() + at] = zero;
    for (int i = from; i < to; i++) {
      codes[i] = scale == 0 ? zero : limited(values[i] / scale + zero, most);
    }
  }

  private static int limited(float number, int most) {
    return Math.max(0, Math.min(most, Math.round(number)));
  }

  /** Blocks of a row. */
  public int blocks() {
    return (width + block - 1) / block;
  }

  public int hidden() {
    return hidden;
  }

  public int width() {
    return width;
  }

  public int code(int row, int column) {
    return codes[row * width + column];
  }

  public float scale(int row, int at) {
    return scales[row * blocks() + at];
  }

  public int zero(int row, int at) {
    return zeros[row * blocks() + at];
  }

  /** The numbers that the integers stand for, row by row. */
  public float[] toFloats() {
    float[] all = new float[codes.length];
    for (int i = 0; i < all.length; i++) {
      int row = i / width;
      int at = i % width / block;
      all[i] = (codes[i] - zero(row, at)) * scale(row, at);
    }
    return all;
  }
}
