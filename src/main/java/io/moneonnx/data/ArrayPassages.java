package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** Rows of arrays: each is a sequence by itself, and fed as it is. */
record ArrayPassages(String source, ModelInputs inputs, BatchSize size) {
  /**
   * Reads a file.
   *
   * @param most rows that are enough
   * @param notices takes what the user should know about the data
   * @return how many rows there were
   */
  int read(Path file, int most, Consumer<Passage> sink, Consumer<String> notices) {
    Value input = inputs.tokensFor(file);
    NamedArrays arrays = NamedArrays.read(Optional.empty(), file, inputs, most);
    arrays.warnings().forEach(notices);
    int rows = arrays.samples();
    if (size.isFixed() && rows < size.samples()) {
      throw new BadInputException(
          "%s: %d samples, but the model takes exactly %d at a time"
              .formatted(file, rows, size.samples()));
    }
    FeedFiller filler = new FeedFiller(inputs);
    for (int from = 0; from < rows; from += size.samples()) {
      // A last batch that may not be smaller begins with rows that were fed before.
      int count = size.isFixed() ? size.samples() : Math.min(size.samples(), rows - from);
      int before = Math.max(0, from + count - rows);
      Map<String, Tensor> feeds = filler.fill(arrays.samples(from - before, count));
      sink.accept(passage(feeds, input.name(), before));
    }
    return rows;
  }

  private Passage passage(Map<String, Tensor> feeds, String tokens, int before) {
    Tensor ids = feeds.get(tokens);
    int length = ids.dims().get(1).intValue();
    UnmaskedTokens shown = UnmaskedTokens.of(feeds, tokens);
    List<Passage.Row> rows = new ArrayList<>();
    for (int row = 0; row < ids.dims().get(0); row++) {
      BitSet counts = new BitSet();
      for (int token = 1; token < length && row >= before; token++) {
        counts.set(token - 1, shown.isForeseen(row, token));
      }
      rows.add(new Passage.Row(counts, OptionalLong.empty()));
    }
    return new Passage(source, feeds, next(ids, length), rows);
  }

  /** The last token of each row stands for the one after it, which is not known. */
  private static Tensor next(Tensor ids, int length) {
    long[] tokens = ids.toLongs();
    long[] next = Arrays.copyOf(tokens, tokens.length);
    for (int i = 0; i < tokens.length; i++) {
      next[i] = tokens[(i + 1) % length == 0 ? i : i + 1];
    }
    return Tensor.of(ids.dims(), next);
  }
}
