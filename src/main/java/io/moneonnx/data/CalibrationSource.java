package io.moneonnx.data;

import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Map;

/** Samples of one kind: blocks of tokens, or rows of named arrays. */
sealed interface CalibrationSource permits TokenBlocks, NamedArrays {
  int samples();

  /** Tokens in the first samples, padding excluded; 0 where they hold none. */
  long tokens(int samples);

  List<DataFile> files();

  /** What the user should know about how the files were read. */
  List<String> notices();

  /** What makes the tokens poor data, mostly nothing; said before and after they are used. */
  List<String> warnings();

  /** {@code count} samples stacked along a leading axis, by the name of the model's input. */
  Map<String, Tensor> samples(int from, int count);

  /** What messages call a sample. */
  String name(int sample);
}
