package io.moneonnx.moe;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What one expert computes, the feed-forward network {@code down (act (gate x) * up x)}, or {@code
 * down (act (up x))} where it has no gate.
 *
 * @param activation by its usual name, or by the operators that make it where it has none
 * @param inner how many inner neurons there are: the width of what {@code down} is given
 * @param activations the value {@code [..., inner]} that {@code down} is given; empty where it is
 *     inside an operator
 * @param gate empty where {@code up} holds it too, or there is none
 */
public record Ffn(
    Kind kind,
    String activation,
    int inner,
    Optional<String> activations,
    Optional<Projection> gate,
    Projection up,
    Projection down) {
  /** How gate and up are laid out. */
  public enum Kind {
    /** Two layers without a gate. */
    PLAIN("plain"),
    /** Two projections. */
    GATED("gated"),
    /** One projection that makes {@code [..., 2 * inner]}: one of the two behind the other. */
    CONCATENATED("gated-concatenated"),
    /** One projection that makes {@code [..., 2 * inner]}: one channel of each by turns. */
    INTERLEAVED("gated-interleaved");

    private final String text;

    Kind(String text) {
      this.text = text;
    }

    /** As it is printed. */
    @Override
    public String toString() {
      return text;
    }
  }

  /**
   * A product with a weight.
   *
   * @param product the value that it makes, before any bias; the operator's output where it is
   *     inside of one
   * @param weight the value that is read: a constant, what is made of one by laying it out, or what
   *     is gathered of one for each slot
   * @param in the axis of the weight that is summed over
   * @param out the axis of the weight that the product keeps
   * @param width the size of what the product makes
   * @param bias what is added to it; empty if there is none
   * @param packed how the operator reads a weight of integers, where it does and that is known
   */
  public record Projection(
      String product,
      String weight,
      int in,
      int out,
      int width,
      Optional<String> bias,
      Optional<Packed> packed) {
    /** A weight of floating numbers. */
    public Projection(
        String product, String weight, int in, int out, int width, Optional<String> bias) {
      this(product, weight, in, out, width, bias, Optional.empty());
    }

    Projection plus(String added) {
      return new Projection(product, weight, in, out, width, Optional.of(added), packed);
    }
  }

  /**
   * A weight {@code [out, in]} that an operator reads as integers, packed along its rows, and
   * dequantises itself.
   *
   * @param bits of each integer
   * @param block how many of a row share a scale; 0 where all of it do
   * @param weight which input of the operator holds the integers
   * @param scales which input holds the scales
   * @param zeros which input holds the zero points; empty where they are in the middle of the range
   */
  public record Packed(int bits, int block, int weight, int scales, OptionalInt zeros) {
    /** How many numbers of a row can only be cut out together: a block, or what fills a byte. */
    public int group() {
      return Math.max(block, Math.max(1, Byte.SIZE / bits));
    }
  }

  /** What the last projections of all these read; empty if that is inside an operator. */
  public static Optional<List<String>> activations(List<Ffn> experts) {
    List<String> found = experts.stream().flatMap(expert -> expert.activations.stream()).toList();
    return Optional.of(found).filter(all -> !all.isEmpty() && all.size() == experts.size());
  }

  /** The width of what an expert puts out. */
  public int hidden() {
    return down.width();
  }
}
