package io.moneonnx.data;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import io.moneonnx.graph.WholeFile;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;

/** A Hugging Face {@code tokenizer.json}: text to token ids, nothing cut off. */
final class TextTokenizer implements AutoCloseable {
  /** What language models are taught to end a text with, not a turn of a chat. */
  private static final List<String> ENDS_OF_TEXT =
      List.of("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "<｜end▁of▁sentence｜>", "[EOS]");

  private static final Map<String, String> VERBATIM =
      Map.of("addSpecialTokens", "false", "truncation", "false", "padding", "false");

  static {
    // The library reports its use and looks for CUDA builds of itself on the network unless told.
    setDefault("OPT_OUT_TRACKING", "true");
    setDefault("ai.djl.offline", "true");
  }

  private final Path file;
  private final HuggingFaceTokenizer tokenizer;
  private final OptionalLong endOfText;
  private final OptionalLong unknown;

  private TextTokenizer(Path file, HuggingFaceTokenizer tokenizer, JsonElement settings) {
    this.file = file;
    this.tokenizer = tokenizer;
    this.endOfText = endOfText(settings);
    this.unknown = unknown(settings);
  }

  private static void setDefault(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  /**
   * Reads a tokenizer. Only this file counts: settings in a {@code tokenizer_config.json} beside it
   * are for chats.
   */
  static TextTokenizer open(Path file) {
    try {
      byte[] json = WholeFile.bytes(file);
      JsonElement settings = JsonParser.parseString(new String(json, StandardCharsets.UTF_8));
      return new TextTokenizer(
          file,
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), VERBATIM),
          settings);
    } catch (IOException | RuntimeException e) {
      throw new BadInputException(
          file + " is no readable Hugging Face tokenizer: " + Reason.of(e), e);
    }
  }

  private static OptionalLong endOfText(JsonElement settings) {
    if (!(settings instanceof JsonObject root)
        || !(root.get("added_tokens") instanceof JsonArray added)) {
      return OptionalLong.empty();
    }
    return ENDS_OF_TEXT.stream()
        .map(name -> idOf(name, added))
        .filter(Objects::nonNull)
        .mapToLong(JsonElement::getAsLong)
        .findFirst();
  }

  /** Unigram names the id, all other kinds the token. */
  private static OptionalLong unknown(JsonElement settings) {
    if (!(settings instanceof JsonObject root)
        || !(root.get("model") instanceof JsonObject model)) {
      return OptionalLong.empty();
    }
    JsonElement id = model.get("unk_id");
    if (model.get("unk_token") instanceof JsonPrimitive token
        && model.get("vocab") instanceof JsonObject vocabulary) {
      id = vocabulary.get(token.getAsString());
    }
    return id instanceof JsonPrimitive number
        ? OptionalLong.of(number.getAsLong())
        : OptionalLong.empty();
  }

  private static JsonElement idOf(String name, JsonArray added) {
    for (JsonElement token : added) {
      JsonObject fields = token.getAsJsonObject();
      if (fields.get("content").getAsString().equals(name)) {
        return fields.get("id");
      }
    }
    return null;
  }

  /** Where it was read. */
  Path file() {
    return file;
  }

  /** Tokens of the text, nothing added. */
  long[] encode(String text) {
    return tokenizer.encode(text).getIds();
  }

  /** The same with the special tokens that the tokenizer's own template adds, if it has one. */
  long[] encodeAsTemplate(String text) {
    return tokenizer.encode(text, true, false).getIds();
  }

  /** The tokens of a text, each with what it stands for. */
  List<TextToken> tokens(String text) {
    return TextToken.of(text, tokenizer.encode(text));
  }

  /**
   * The id of one token, written as it is in text.
   *
   * @throws BadInputException if the text is several tokens, or none
   */
  long idOf(String token) {
    long[] ids = encode(token);
    if (ids.length != 1) {
      throw new BadInputException(
          "'%s' is %d tokens of %s, expected one".formatted(token, ids.length, file));
    }
    return ids[0];
  }

  /**
   * Checks that a model knows a token.
   *
   * @param vocabulary the model's, where it is known; ids are below
   * @param source the text that the token is of, for the message
   * @throws BadInputException if it does not
   */
  void requireKnown(long id, OptionalLong vocabulary, String source) {
    if (vocabulary.isPresent() && id >= vocabulary.getAsLong()) {
      throw new BadInputException(
          "%s makes token id %d of %s, the model knows ids below %d: it is not this model's"
              .formatted(file, id, source, vocabulary.getAsLong()));
    }
  }

  /** The token that stands between documents; empty if the tokenizer has none that is known. */
  OptionalLong endOfText() {
    return endOfText;
  }

  /** The token that stands for what no other does; empty if there is none. */
  OptionalLong unknown() {
    return unknown;
  }

  /** What a text begins with: what the template puts first, or else what ends a text. */
  OptionalLong first() {
    long[] template = encodeAsTemplate("");
    return template.length > 0 ? OptionalLong.of(template[0]) : endOfText;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
