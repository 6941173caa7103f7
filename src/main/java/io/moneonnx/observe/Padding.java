package io.moneonnx.observe;

import io.moneonnx.data.UnmaskedTokens;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import java.util.List;
import java.util.Map;

/**
 * Which tokens of a sequence count: those that its attention mask does not hide. A model with a
 * decoder of its own is fed two sequences.
 */
enum Padding {
  INPUT("input_ids", "attention_mask"),
  DECODER("decoder_input_ids", "decoder_attention_mask");

  private final String tokens;
  private final String mask;

  Padding(String tokens, String mask) {
    this.tokens = tokens;
    this.mask = mask;
  }

  /** The padding of the sequence whose tokens reach this block. */
  static Padding of(Graph graph, MoeBlock block) {
    boolean hasDecoder =
        graph.feeds().stream().anyMatch(input -> input.name().equals(DECODER.tokens));
    return hasDecoder
            && Reach.backward(graph, List.of(block.routing().input()), value -> false)
                .contains(DECODER.tokens)
        ? DECODER
        : INPUT;
  }

  /** Ones and zeros {@code [tokens]}, or a single one where every token counts. */
  Tensor valid(Map<String, Tensor> feeds) {
    return UnmaskedTokens.of(feeds, tokens, mask).ones();
  }
}
