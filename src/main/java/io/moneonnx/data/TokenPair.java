package io.moneonnx.data;

import java.util.List;

/** Token ids of a context and of what may follow it, each at least one. */
public record TokenPair(List<Long> context, List<Long> continuation) {
  public TokenPair {
    context = List.copyOf(context);
    continuation = List.copyOf(continuation);
  }
}
