package io.moneonnx.profile;

import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * In which order the neurons of a block's experts are removed, and what that costs: made of moments
 * and of the model's weights. It adds up with nothing: merged profiles have none.
 *
 * @param widths which widths the block's layout allows
 * @param neuronBytes bytes of the weights of one neuron
 * @param group how many neighbouring neurons are only removed together
 * @param removed for each expert all its neurons, the first to be removed first, {@code [E, I]}
 * @param distortions for each expert {@code sum g^2 ||f - f'||^2} by the number of neurons that are
 *     kept, {@code [E, I + 1]}
 */
public record NeuronOrders(
    Widths widths, long neuronBytes, int group, Values removed, Values distortions) {
  static final String REMOVED = "order";
  static final String DISTORTIONS = "distortion";

  /** Which widths experts can have. */
  public enum Widths {
    /** Each its own. */
    OWN,
    /** All of a block the same. */
    ONE,
    /** All of a block the same, or each its own multiple of a width: slices stand for experts. */
    ATOMS;

    /** As metadata have it. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public NeuronOrders {
    if (neuronBytes < 1
        || group < 1
        || removed.type() != Values.Type.COUNT
        || distortions.type() != Values.Type.NUMBER) {
      throw new IllegalArgumentException(
          "a neuron of %d bytes, groups of %d, removed %s, distortions %s"
              .formatted(neuronBytes, group, removed.type(), distortions.type()));
    }
  }

  /** Neurons that are removed one by one. */
  public NeuronOrders(Widths widths, long neuronBytes, Values removed, Values distortions) {
    this(widths, neuronBytes, 1, removed, distortions);
  }

  static List<Integer> removedSizes(BlockHeader block) {
    return List.of(block.experts(), block.inner());
  }

  static List<Integer> distortionSizes(BlockHeader block) {
    return List.of(block.experts(), Math.addExact(block.inner(), 1));
  }

  private int inner() {
    return distortions.size() - removed.size() == 0
        ? 0
        : removed.size() / (distortions.size() - removed.size());
  }

  /** All neurons of an expert, the first to be removed first, {@code [I]}. */
  public int[] removed(int expert) {
    int from = expert * inner();
    return IntStream.range(from, from + inner())
        .map(i -> Math.toIntExact(removed.count(i)))
        .toArray();
  }

  /** The distortion of an expert of this width. */
  public double distortion(int expert, int width) {
    return distortions.get(expert * (inner() + 1) + width);
  }

  /** The distortions of an expert by its width, {@code [I + 1]}. */
  public double[] distortions(int expert) {
    int from = expert * (inner() + 1);
    return IntStream.rangeClosed(from, from + inner()).mapToDouble(distortions::get).toArray();
  }
}
