package io.moneonnx.moe;

import io.moneonnx.graph.Tensor;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * An expert that keeps some of its neurons, or all, and the down projection that was re-fitted to
 * them; one that is quantised keeps its own columns instead, or is rounded again.
 */
public final class NarrowExpert {
  private final int[] kept;
  private final FloatBuffer down;
  private final Optional<RoundedMatrix> rounded;

  /**
   * An expert of this width.
   *
   * @param kept {@code S}: the neurons that it keeps, ascending, {@code [width]}
   * @param down {@code D'}: row by row what the output takes of them, {@code [hidden, width]}
   */
  public NarrowExpert(int[] kept, float[] down) {
    this(kept, down, Optional.empty());
  }

  private NarrowExpert(int[] kept, float[] down, Optional<RoundedMatrix> rounded) {
    this.rounded = rounded;
    this.kept = kept.clone();
    this.down = Tensor.of(List.of((long) down.length), down).offHeap().bytes().asFloatBuffer();
    if (kept.length == 0 || kept[0] < 0 || !isAscending(kept)) {
      throw new IllegalArgumentException("neurons are not ascending: " + neurons());
    } else if (down.length % kept.length != 0) {
      throw new IllegalArgumentException(
          "a matrix of %d numbers has no %d columns".formatted(down.length, kept.length));
    }
  }

  /** An expert whose down projection keeps the columns of these neurons as they are. */
  public NarrowExpert(int... kept) {
    this(kept, new float[0]);
  }

  /** An expert whose down projection was re-fitted to these neurons and quantised again. */
  public static NarrowExpert rounded(int[] kept, RoundedMatrix down) {
    if (down.width() != kept.length) {
      throw new IllegalArgumentException(
          "a matrix of %d columns for %d neurons".formatted(down.width(), kept.length));
    }
    return new NarrowExpert(kept, new float[0], Optional.of(down));
  }

  /** The integers of its down projection; empty where it has none or keeps those that it had. */
  public Optional<RoundedMatrix> rounded() {
    return rounded;
  }

  /** Whether its down projection is a matrix of floating numbers. */
  public boolean isRefitted() {
    return down.capacity() > 0;
  }

  private static boolean isAscending(int... numbers) {
    return IntStream.range(1, numbers.length).allMatch(i -> numbers[i - 1] < numbers[i]);
  }

  /** How many neurons it keeps. */
  public int width() {
    return kept.length;
  }

  /** The neurons that it keeps, ascending. */
  public List<Integer> neurons() {
    return IntStream.of(kept).boxed().toList();
  }

  /** Rows of a down projection that was re-fitted: the width of what the expert puts out. */
  public int hidden() {
    return down.capacity() / kept.length;
  }

  /** What output {@code row} takes of the {@code column}-th neuron that is kept. */
  public float down(int row, int column) {
    return down.get(row * kept.length + column);
  }
}
