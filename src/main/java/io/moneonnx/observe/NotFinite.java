package io.moneonnx.observe;

import io.moneonnx.data.Batch;
import io.moneonnx.graph.BadInputException;

/**
 * The first choice of a token of which something is not finite.
 *
 * @param slot choice {@code slot % topK} of token {@code slot / topK}
 * @param expert that was chosen
 * @param tokens how many the run has, padding included
 * @param what is not finite
 */
record NotFinite(long slot, int expert, long tokens, What what) {
  /** From near to far: what is not finite makes all that follows so. */
  enum What {
    OUTPUT("the output of expert %d is"),
    ROUTING_WEIGHT("the routing weight of expert %d, or the square of its output, is"),
    SUM("the block's own output, or its square, is");

    private final String text;

    What(String text) {
      this.text = text;
    }

    /**
     * What it must be.
     *
     * @param output magnitude of the expert's output
     * @param weighted magnitude of that with its routing weight, and of their squares
     */
    static What of(double output, double weighted) {
      if (Double.isInfinite(output)) {
        return OUTPUT;
      }
      return Double.isInfinite(weighted) ? ROUTING_WEIGHT : SUM;
    }
  }

  /** The end of a calibration that is to stop here. */
  BadInputException failure(String block, int topK, Batch batch) {
    return new BadInputException(
        "block '%s': %s not finite at %s, counted from 0; --skip-nonfinite leaves such tokens out"
            .formatted(block, what.text.formatted(expert), batch.place(slot / topK, tokens)));
  }
}
