package io.moneonnx.eval;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Random;

/** A {@link TinyMoe} between a table of words and a wordHead, {@code input_ids -> next}. */
public final class TinyLanguageModel {
  static final NextToken NEXT_TOKEN = new NextToken("input_ids", "next");
  static final int VOCABULARY = 11;
  static final int HIDDEN = 4;

  private TinyLanguageModel() {}

  /** With four experts, of which each token chooses two. */
  public static TinyMoe of(Spelling spelling) {
    return spelling
        .of(4, 2, HIDDEN)
        .with("(float[T, 4] x)", "(int64[B, S] input_ids)")
        .with(
            "=> (float[T, 4] y)\n<",
            "=> (float[B, S, 11] next)\n<float[11, 4] words, float[4, 11] wordHead,"
                + " int64[2] wordRows = {-1, 4}, ")
        .with(
            ">\n{\n",
            """
            >
            {
              wordVectors = Gather (words, input_ids)
              x = Reshape (wordVectors, wordRows)
            """)
        .with(
            "  y = Add (x, routed)\n",
            """
              y = Add (x, routed)
              wordSizes = Shape (wordVectors)
              wordsOut = Reshape (y, wordSizes)
              next = MatMul (wordsOut, wordHead)
            """);
  }

  /** Token ids {@code [batch, sequence]}; the same seed gives the same ones. */
  static Tensor tokens(int batch, int sequence, long seed) {
    long[] ids = new Random(seed).longs((long) batch * sequence, 0, VOCABULARY).toArray();
    return Tensor.of(List.of((long) batch, (long) sequence), ids);
  }
}
