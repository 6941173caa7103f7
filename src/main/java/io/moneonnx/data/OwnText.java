package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Text that a model wrote itself, to calibrate on where there is no other.
 *
 * @param windows of one length, each as it was written from its begin token on
 */
public record OwnText(Optional<String> tag, List<List<Long>> windows) {
  /** What stands for it in place of a file. */
  static final String NAME = "self";

  private static final int USUAL_TOKENS = 8192;
  private static final int USUAL_LENGTH = 256;

  public OwnText {
    windows = List.copyOf(windows);
  }

  /**
   * How it is to be written.
   *
   * @param length tokens of a window, the begin token included
   * @param first the begin token
   */
  public record Request(int windows, int length, long first) {
    /**
     * As much as a source asks for, in whole windows.
     *
     * @param source one that {@link DataSource#isOwn}
     * @throws BadInputException if the begin token is not known, or is not one of the model's
     */
    public static Request of(
        DataSource source, ModelInputs inputs, ModelFolder folder, CalibrationOptions options) {
      int tokens = tokens(source);
      OptionalInt asked = options.sequenceLength();
      int usual = SequenceLength.atMost(Math.min(USUAL_LENGTH, tokens), inputs, folder);
      int length = asked.isPresent() ? SequenceLength.choose(asked, inputs, folder) : usual;
      int windows = (tokens - 1) / length + 1;
      return new Request(
          Math.min(windows, options.blocks().orElse(windows)),
          length,
          first(inputs, folder, options));
    }

    private static int tokens(DataSource source) {
      String name = source.path().toString();
      if (name.equals(NAME)) {
        return USUAL_TOKENS;
      }
      String count = name.substring(NAME.length() + 1);
      try {
        int tokens = Integer.parseInt(count);
        if (tokens > 1) {
          return tokens;
        }
      } catch (NumberFormatException e) {
        // it is told below
      }
      throw new BadInputException(
          "--data %s: found '%s' tokens, expected a number of 2 to %,d"
              .formatted(name, count, Integer.MAX_VALUE));
    }

    /** What the tokenizer puts before a text or ends one with, or what the model's settings say. */
    private static long first(ModelInputs inputs, ModelFolder folder, CalibrationOptions options) {
      Optional<Path> file = options.tokenizer().or(folder::anyTokenizer);
      long first =
          file.flatMap(Request::first)
              .or(folder::beginToken)
              .orElseThrow(
                  () ->
                      new BadInputException(
                          "--data self: with which token a text begins is not known, expected a"
                              + " tokenizer.json that says so, or bos_token_id in %s"
                                  .formatted(folder.path().resolve("config.json"))));
      if (first < 0 || first >= inputs.vocabulary().orElse(Long.MAX_VALUE)) {
        throw new BadInputException(
            "--data self: a text begins with token %d, the model knows ids below %d"
                .formatted(first, inputs.vocabulary().getAsLong()));
      }
      return first;
    }

    private static Optional<Long> first(Path tokenizer) {
      try (TextTokenizer opened = TextTokenizer.open(tokenizer)) {
        return opened.first().stream().boxed().findFirst();
      }
    }
  }

  /** In place of a file. */
  DataFile file() {
    ByteBuffer ids = ByteBuffer.allocate(Math.toIntExact(tokens() * Long.BYTES));
    windows.forEach(window -> window.forEach(ids::putLong));
    return new DataFile(
        tag,
        Path.of("%s:%d".formatted(NAME, tokens())),
        ids.capacity(),
        DataFile.sha256(ids.array()),
        tokens());
  }

  /** All of them. */
  public long tokens() {
    return windows.stream().mapToLong(List::size).sum();
  }
}
