package io.moneonnx.data;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.LongStream;

/** Windows that follow each other and are of one length, run together. */
final class WindowBatches {
  private final String source;
  private final Value input;
  private final FeedFiller filler;
  private final BatchSize size;
  private final Consumer<Passage> sink;
  private final List<TokenWindow> waiting = new ArrayList<>();
  private int rows;

  /**
   * No windows yet.
   *
   * @param input what of the model takes the tokens
   */
  WindowBatches(
      String source, ModelInputs inputs, Value input, BatchSize size, Consumer<Passage> sink) {
    this.source = source;
    this.input = input;
    this.filler = new FeedFiller(inputs);
    this.size = size;
    this.sink = sink;
    filler.requireEnough(Set.of(input.name()));
  }

  void add(TokenWindow window) {
    if (!waiting.isEmpty() && waiting.get(0).length() != window.length()) {
      flush();
    }
    waiting.add(window);
    if (waiting.size() == size.samples()) {
      flush();
    }
  }

  /** Hands on what waits; where the model takes no smaller batch, the last window fills it. */
  void flush() {
    if (waiting.isEmpty()) {
      return;
    }
    rows += waiting.size();
    List<Passage.Row> counted = waiting.stream().map(WindowBatches::row).toList();
    while (size.isFixed() && waiting.size() < size.samples()) {
      waiting.add(waiting.get(waiting.size() - 1));
    }
    ElementType type = ModelInputs.type(input);
    sink.accept(
        new Passage(
            source,
            filler.fill(Map.of(input.name(), stacked(type, TokenWindow::fed))),
            stacked(ElementType.INT64, TokenWindow::next),
            counted));
    waiting.clear();
  }

  private Tensor stacked(ElementType type, Function<TokenWindow, LongStream> tokens) {
    List<Long> dims = List.of((long) waiting.size(), (long) waiting.get(0).length());
    long[] all = waiting.stream().flatMapToLong(tokens).toArray();
    return Elements.ofLongs(type, dims, all);
  }

  private static Passage.Row row(TokenWindow window) {
    BitSet counts = new BitSet();
    counts.set(window.first(), window.length());
    return new Passage.Row(counts, OptionalLong.of(window.bytes()));
  }

  /** Windows so far. */
  int rows() {
    return rows;
  }
}
