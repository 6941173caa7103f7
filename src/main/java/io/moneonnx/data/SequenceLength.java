package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.Value;
import java.util.Optional;
import java.util.OptionalInt;

/** How many tokens of text a model is given in a row: 4,096 as published, or what it can take. */
public final class SequenceLength {
  private static final int PUBLISHED = 4096;

  private SequenceLength() {}

  /**
   * The length asked for, or the default where none is.
   *
   * @throws BadInputException if the model cannot take what is asked for
   */
  static int choose(OptionalInt asked, ModelInputs inputs, ModelFolder folder) {
    OptionalInt fixed = fixed(inputs);
    if (fixed.isPresent()) {
      return requireFixed(asked.orElse(fixed.getAsInt()), fixed.getAsInt());
    }
    Optional<ModelFolder.ContextLength> limit = folder.contextLength();
    if (limit.isPresent() && asked.orElse(0) > limit.get().tokens()) {
      throw new BadInputException(
          "sequence length %d is more than the %d tokens that the model takes (%s)"
              .formatted(asked.getAsInt(), limit.get().tokens(), limit.get().statedBy()));
    }
    int most = limit.map(ModelFolder.ContextLength::tokens).orElse(PUBLISHED);
    return asked.orElse(Math.min(PUBLISHED, most));
  }

  /** The most tokens in a row that the model takes, as far as anything says so. */
  static OptionalInt most(ModelInputs inputs, ModelFolder folder) {
    OptionalInt fixed = fixed(inputs);
    return fixed.isPresent()
        ? fixed
        : folder.contextLength().stream().mapToInt(ModelFolder.ContextLength::tokens).findFirst();
  }

  /** The default, or {@code most} tokens where that is less and the model takes so few. */
  public static int atMost(int most, ModelInputs inputs, ModelFolder folder) {
    int length = choose(OptionalInt.empty(), inputs, folder);
    return fixed(inputs).isPresent() ? length : Math.min(most, length);
  }

  /** The sequence dimension of the token input, if the graph declares a number there. */
  static OptionalInt fixed(ModelInputs inputs) {
    return inputs
        .tokens()
        .flatMap(Value::shape)
        .filter(shape -> shape.size() == 2)
        .map(shape -> shape.get(1))
        .filter(Dimension::isFixed)
        .map(dimension -> OptionalInt.of(Math.toIntExact(dimension.size())))
        .orElse(OptionalInt.empty());
  }

  private static int requireFixed(int asked, int fixed) {
    if (asked != fixed) {
      throw new BadInputException(
          "sequence length %d, but the model's input takes exactly %d tokens"
              .formatted(asked, fixed));
    }
    return fixed;
  }
}
