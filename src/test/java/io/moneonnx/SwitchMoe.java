package io.moneonnx;

import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Target;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A Switch block of three experts as transformers writes it: each token goes to its best expert,
 * unless two tokens of its sequence went there before; such tokens stay as they are. What comes out
 * is multiplied by the router's probability, and added to {@code x}.
 */
public final class SwitchMoe {
  public static final int EXPERTS = 3;
  public static final int HIDDEN = 4;
  public static final int CAPACITY = 2;

  public static final String TEXT =
      """
      switch (float[B, S, 4] x) => (float[B, S, 4] y)
      <float[4, 3] router, int64[3] classes = {0, 1, 2}, int64 capacity = {2}, int64 sequence = {1},
       int64[1] last = {-1}, int64 id0 = {0}, int64 id1 = {1}, int64 id2 = {2},
       float[5, 4] up0, float[5] upBias0, float[4, 5] down0, float[4] downBias0,
       float[5, 4] up1, float[5] upBias1, float[4, 5] down1, float[4] downBias1,
       float[5, 4] up2, float[5] upBias2, float[4, 5] down2, float[4] downBias2>
      {
        logits = MatMul (x, router)
        scores = Softmax <axis = -1> (logits)
        experts = ArgMax <axis = -1, keepdims = 0> (scores)
        choice = Unsqueeze (experts, last)
        same = Equal (choice, classes)
        hot = Cast <to = 7> (same)
        priority = CumSum (hot, sequence)
        fits = LessOrEqual (priority, capacity)
        within = Cast <to = 7> (fits)
        kept = Mul (hot, within)
        gates = ReduceMax <keepdims = 0> (scores, last)
        gate = Unsqueeze (gates, last)
      $experts
        routed = Mul (gate, buffer3)
        y = Add (x, routed)
      }
      """
          .replace(
              "$experts",
              IntStream.range(0, EXPERTS).mapToObj(SwitchMoe::expert).collect(Collectors.joining()))
          .replace("(buffer0, ", "(x, ")
          .replace("(buffer0)", "(x)");

  private SwitchMoe() {}

  private static String expert(int e) {
    return """
      mask$e = Gather <axis = 2> (kept, id$e)
      bits$e = Cast <to = 9> (mask$e)
      hits$e = NonZero (bits$e)
      at$e = Transpose <perm = [1, 0]> (hits$e)
      rows$e = GatherND <batch_dims = 0> (x, at$e)
      in$e = Gemm <transB = 1> (rows$e, up$e, upBias$e)
      act$e = Gelu (in$e)
      raw$e = Gemm <transB = 1> (act$e, down$e, downBias$e)
      column$e = Unsqueeze (bits$e, last)
      size$e = Shape (buffer$e)
      wide$e = Expand (column$e, size$e)
      cells$e = NonZero (wide$e)
      places$e = Transpose <perm = [1, 0]> (cells$e)
      elements$e = Reshape (raw$e, last)
      buffer$next = ScatterND (buffer$e, places$e, elements$e)
    """
        .replace("$next", Integer.toString(e + 1))
        .replace("$e", Integer.toString(e));
  }

  public static MoeFinder.Findings find(String text) {
    return new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(GraphText.parse(text)).graph());
  }

  public static MoeBlock block() {
    return find(TEXT).blocks().get(0);
  }

  public static Model model() {
    return new Model(GraphText.parse(TEXT), 9, Map.of("", 20L), Map.of(), UnknownFields.NONE);
  }

  /** Two sequences of as many tokens. */
  public static Map<String, Tensor> feeds(int sequence) {
    Random random = new Random(1);
    float[] values = new float[2 * sequence * HIDDEN];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Map.of("x", Tensor.of(List.of(2L, (long) sequence, (long) HIDDEN), values));
  }
}
