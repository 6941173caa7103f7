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
 * <p>With a stride of {@code length} and a token before each document these are the windows of <a
 * href="https://github.com/EleutherAI/lm-evaluation-harness/blob/main/lm_eval/utils.py">{@code
 * get_rolling_token_windows}</a> with a {@code context_len} of 1. With smaller strides they are
 * those of <a href="https://huggingface.co/docs/transformers/perplexity">Hugging Face's guide</a>
 * with a {@code max_length} of {@code length + 1}, but for the last, which is shorter there.
 *
 * @param isFixed whether the model takes no shorter windows; otherwise a document that is shorter
 *     is one by itself
 */
record SlidingWindows(int length, int stride, boolean isFixed) {
  SlidingWindows {
    if (stride < 1 || stride > length) {
      throw new BadInputException(
          "stride: found %d, expected 1 to %d, the tokens in a window: others would be left out"
              .formatted(stride, length));
    }
  }
}
