package io.moneonnx.moe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.Tensor;
import java.math.BigInteger;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What takes the place of experts whose weights are stacked and whose widths differ. An expert is a
 * sum over its neurons, so it is a sum over slices of them; slices of one width are <em>atoms</em>:
 *
 * <pre>{@code
 * up [experts, hidden, inner]  =>  up' [atoms, hidden, width]
 * }</pre>
 *
 * @param counts by expert how many atoms it has, 0 where it is removed
 */
public record Atoms(List<Integer> counts) {
  /** More slices of an expert cost more to choose than they save. */
  static final int MOST = 16;

  public Atoms {
    counts = List.copyOf(counts);
  }

  /**
   * Atoms of experts of these widths.
   *
   * @param width of an atom, which divides them all
   */
  static Atoms of(List<Integer> widths, int width) {
    return new Atoms(widths.stream().map(neurons -> neurons / width).toList());
  }

  /** How wide atoms of experts of these widths can be. */
  static int width(List<Integer> widths) {
    return widths.stream()
        .map(BigInteger::valueOf)
        .reduce(BigInteger.ZERO, BigInteger::gcd)
        .intValueExact();
  }

  /** Each expert that is not pruned, as it is. */
  public static Atoms without(int experts, Set<Integer> pruned) {
    return new Atoms(
        IntStream.range(0, experts).map(e -> pruned.contains(e) ? 0 : 1).boxed().toList());
  }

  /** Why a bias cannot be added once. */
  public static String sharedBias(String bias) {
    return "the bias '%s' of what its experts put out is not of each expert".formatted(bias);
  }

  /** By atom the expert that it is a slice of. */
  public List<Integer> owners() {
    return IntStream.range(0, counts.size())
        .boxed()
        .flatMap(expert -> Collections.nCopies(counts.get(expert), expert).stream())
        .toList();
  }

  /** The atoms of the expert that has most; 1 where no expert is left. */
  public int most() {
    return Math.max(1, Collections.max(counts));
  }

  /** True where a constant behind a value holds atoms already. */
  public static boolean areIn(Graph graph, Ops ops, String value) {
    return Stream.concat(
            Stream.of(value), Reach.backward(graph, List.of(value), each -> false).stream())
        .anyMatch(each -> ops.inPlaceOf(each).isPresent());
  }

  /**
   * Zeros in place of what is not that of the first atom of an expert.
   *
   * @param perAtom a value that has an index for each atom along an axis
   */
  public String once(Ops ops, String perAtom, int axis, int rank) {
    ElementType type = ops.edit().type(perAtom).orElseThrow();
    List<Integer> owners = owners();
    float[] isFirst = new float[owners.size()];
    for (int atom = 0; atom < isFirst.length; atom++) {
      isFirst[atom] = atom == 0 || !owners.get(atom).equals(owners.get(atom - 1)) ? 1 : 0;
    }
    List<Long> dims =
        IntStream.range(0, rank).mapToObj(at -> at == axis ? (long) isFirst.length : 1L).toList();
    return ops.mul(perAtom, ops.constant("isFirst", Tensor.of(type, dims, isFirst)));
  }
}
