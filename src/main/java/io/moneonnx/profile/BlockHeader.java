package io.moneonnx.profile;

/**
 * What a block is, apart from what was measured of it.
 *
 * @param name the block's name in messages, plans and profiles
 * @param form how its exporter laid it out
 * @param experts routed experts, E
 * @param topK experts chosen per token, k
 * @param hidden width of an expert's output, H
 * @param inner neurons of an expert, I: the width of what its down projection reads; 0 where
 *     experts are opaque
 * @param expertBytes bytes of the weights of one expert
 */
public record BlockHeader(
    String name, String form, int experts, int topK, int hidden, int inner, long expertBytes) {
  public BlockHeader {
    if (experts < 1 || topK < 1 || hidden < 1 || inner < 0) {
      throw new IllegalArgumentException(
          "block '%s': experts %d, k %d, hidden %d, inner %d"
              .formatted(name, experts, topK, hidden, inner));
    }
  }
}
