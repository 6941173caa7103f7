package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;

/**
 * How documents are cut into windows, so that each token but a document's first is foreseen once.
 *
 * <p>A window feeds {@code length} tokens and foresees the one after each. The next begins {@code
 * stride} tokens later, and only tokens that were not foreseen before count. The last one of a
 * document reaches as far back as it is long. So a token has all before it in its document as
 * context, or at least {@code length - stride + 1} of them.
 *
 * @param isFixed whether the model takes no shorter windows; otherwise a document that is shorter
 *     is one by itself
 */
record SlidingWindows(int length, int stride, boolean isFixed) {
  SlidingWindows {
    if (stride < 1 || stride > length) {
      throw new BadInputException(
          "stride: found %d, wanted 1 to %d, the tokens in a window: others would be left out"
              .formatted(stride, length));
    }
  }
}
