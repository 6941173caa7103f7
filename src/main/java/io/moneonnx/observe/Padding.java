package io.moneonnx.observe;

import io.moneonnx.graph.BadInputException;
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
    Tensor mask = feeds.get(this.mask);
    if (mask == null || mask.rank() != 2 || mask.type().isFloating()) {
      return Tensor.of(List.of(1L), 1f);
    }
    long[] seen = mask.toLongs();
    int width = mask.dims().get(1).intValue();
    int sequence = sequence(feeds, width);
    int batch = mask.dims().get(0).intValue();
    if (width < sequence) {
      throw new BadInputException(
          "'%s' %s hides or shows fewer tokens than '%s' has, %d a sequence"
              .formatted(this.mask, mask.dims(), tokens, sequence));
    }
    float[] valid = new float[batch * sequence];
    boolean anyHidden = false;
    for (int token = 0; token < valid.length; token++) {
      int column = width - sequence + token % sequence; // what lies before is the past
      boolean hidden = seen[token / sequence * width + column] == 0;
      valid[token] = hidden ? 0 : 1;
      anyHidden |= hidden;
    }
    return anyHidden ? Tensor.of(List.of((long) valid.length), valid) : Tensor.of(List.of(1L), 1f);
  }

  private int sequence(Map<String, Tensor> feeds, int width) {
    Tensor ids = feeds.get(tokens);
    return ids != null && ids.rank() == 2 ? ids.dims().get(1).intValue() : width;
  }
}
