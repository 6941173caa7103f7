package io.moneonnx.pipeline;

/** What {@link Bench} measures of a model. Times are in seconds, sizes in bytes. */
public enum BenchMeasure {
  /** The bytes of all files of the model. */
  FILE,
  /** From the file to a session that can run. */
  LOAD,
  /** One run over many tokens. */
  PREFILL,
  /** One run over one token, after those of the prefill where the graph takes a past. */
  DECODE,
  /** One run over the data that were given. */
  RUN,
  /** The largest resident memory of a process that does nothing else. */
  MEMORY;

  /** True for seconds, false for bytes. */
  public boolean isTime() {
    return this != FILE && this != MEMORY;
  }
}
