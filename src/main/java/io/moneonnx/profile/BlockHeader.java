package io.moneonnx.profile;

import java.util.List;
import java.util.stream.IntStream;

/**
 * What a block is, apart from what was measured of it.
 *
 * @param name the block's name in messages, plans and profiles
 * @param form how its exporter laid it out
 * @param experts ids that the router chooses from, E
 * @param topK experts chosen per token, k
 * @param hidden width of an expert's output, H
 * @param inner neurons of an expert, I: the width of what its down projection reads; 0 where
 *     experts are opaque
 * @param expertBytes bytes of the weights of one expert
 * @param weightless ids, in order, that no weights belong to, as of experts that were pruned
 *     before: they are chosen, but never pruned or counted
 */
public record BlockHeader(
    String name,
    String form,
    int experts,
    int topK,
    int hidden,
    int inner,
    long expertBytes,
    List<Integer> weightless) {
  public BlockHeader {
    weightless = List.copyOf(weightless);
    if (experts < 1 || topK < 1 || hidden < 1 || inner < 0) {
      throw new IllegalArgumentException(
          "block '%s': experts %d, k %d, hidden %d, inner %d"
              .formatted(name, experts, topK, hidden, inner));
    }
    for (int id : weightless) {
      if (id < 0 || id >= experts) {
        throw new IllegalArgumentException(
            "block '%s': no weights of expert %d, found %d experts".formatted(name, id, experts));
      }
    }
  }

  /** A block whose experts all own weights. */
  public BlockHeader(
      String name, String form, int experts, int topK, int hidden, int inner, long expertBytes) {
    this(name, form, experts, topK, hidden, inner, expertBytes, List.of());
  }

  /** The ids of the experts that own weights, in order. */
  public List<Integer> owners() {
    return IntStream.range(0, experts).filter(id -> !weightless.contains(id)).boxed().toList();
  }
}
