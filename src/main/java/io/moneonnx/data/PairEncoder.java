package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Makes tokens of contexts and choices as lm-evaluation-harness does (<a
 * href="https://github.com/EleutherAI/lm-evaluation-harness/blob/main/lm_eval/api/model.py">api/model.py</a>):
 * tokens of the choice are those that context and choice together have beyond the context's own;
 * white space at the end of the context counts with the choice; special tokens are added where the
 * tokenizer's own template has some; a context that is empty is one token.
 */
public final class PairEncoder implements AutoCloseable {
  /** What the harness takes for a model that does not say how long a sequence it takes. */
  private static final int UNKNOWN_LENGTH = 2048;

  private final TextTokenizer tokenizer;
  private final OptionalLong vocabulary;
  private final int longest;
  private final PoorTokens poor;

  private PairEncoder(TextTokenizer tokenizer, OptionalLong vocabulary, int longest) {
    this.tokenizer = tokenizer;
    this.vocabulary = vocabulary;
    this.longest = longest;
    this.poor = new PoorTokens(tokenizer.unknown());
  }

  /**
   * Reads a tokenizer.
   *
   * @param folder where the model lies: what is there may say how long a sequence it takes
   * @throws BadInputException if the file is no tokenizer
   */
  public static PairEncoder open(Path tokenizer, ModelInputs inputs, ModelFolder folder) {
    return new PairEncoder(
        TextTokenizer.open(tokenizer),
        inputs.vocabulary(),
        SequenceLength.most(inputs, folder).orElse(UNKNOWN_LENGTH));
  }

  /** Tokens of one choice of an item; the context is cut on the left where they are too many. */
  public TokenPair encode(ChoiceItem item, int choice) {
    TokenPair pair = encode(item.contexts().get(choice), item.continuation(choice));
    int tokens = pair.continuation().size();
    if (tokens == 0) {
      throw wrong(item, choice, "makes no token of its own, expected one or more");
    }
    if (tokens > longest) {
      throw wrong(
          item, choice, "has %d tokens, the model takes %d in a row".formatted(tokens, longest));
    }
    requireKnown(pair.context(), item);
    requireKnown(pair.continuation(), item);
    pair.context().forEach(poor::add);
    pair.continuation().forEach(poor::add);
    return cut(pair);
  }

  /**
   * What makes the tokens of all items so far poor data, mostly nothing.
   *
   * @param files that hold the items, for messages
   */
  public List<String> warnings(List<Path> files) {
    return poor.warnings(SourceGroup.name(Optional.empty(), files));
  }

  private TokenPair encode(String context, String continuation) {
    if (context.isEmpty()) {
      return afterNothing(ids(tokenizer.encode(continuation)));
    }
    int space = TrailingSpace.start(context);
    List<Long> before = ids(tokenizer.encodeAsTemplate(context.substring(0, space)));
    List<Long> whole = ids(tokenizer.encodeAsTemplate(context + continuation));
    return new TokenPair(
        before, whole.subList(Math.min(before.size(), whole.size()), whole.size()));
  }

  /** The choice begins a text: what the template begins with stands before it, or what ends one. */
  private TokenPair afterNothing(List<Long> choice) {
    long first = first();
    return !choice.isEmpty() && choice.get(0) == first
        ? new TokenPair(choice.subList(0, 1), choice.subList(1, choice.size()))
        : new TokenPair(List.of(first), choice);
  }

  private long first() {
    return tokenizer
        .first()
        .orElseThrow(
            () ->
                new BadInputException(
                    tokenizer.file()
                        + ": has no end-of-text token that is known, expected one to stand for an"
                        + " empty context"));
  }

  private static List<Long> ids(long[] tokens) {
    return Arrays.stream(tokens).boxed().toList();
  }

  /** The last token is foreseen, not fed. */
  private TokenPair cut(TokenPair pair) {
    int room = longest + 1 - pair.continuation().size();
    int size = pair.context().size();
    return new TokenPair(
        pair.context().subList(Math.max(0, size - room), size), pair.continuation());
  }

  private void requireKnown(List<Long> tokens, ChoiceItem item) {
    tokens.forEach(id -> tokenizer.requireKnown(id, vocabulary, item.place()));
  }

  private static BadInputException wrong(ChoiceItem item, int choice, String what) {
    return new BadInputException("%s: choice %d %s".formatted(item.place(), choice, what));
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
