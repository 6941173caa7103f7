package io.moneonnx.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.moneonnx.graph.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PairEncoderTest {
  private static final Path TOKENIZER = Fixtures.MODEL.resolveSibling("tokenizer.json");
  private static final ModelFolder FOLDER = ModelFolder.of(Fixtures.MODEL);
  private static final int LONGEST = 256;
  private static final long END_OF_TEXT = 0;

  @TempDir Path folder;

  private static TokenPair encode(Path tokenizer, int vocabulary, ChoiceItem item) {
    ModelInputs inputs = ModelInputs.of(Fixtures.languageModel(vocabulary, Fixtures.INPUT_IDS));
    try (PairEncoder encoder = PairEncoder.open(tokenizer, inputs, FOLDER)) {
      return encoder.encode(item, 0);
    }
  }

  private static ChoiceItem item(String context, String delimiter, String choice) {
    return new ChoiceItem(
        "f:1", List.of(context, context), List.of(choice, "x"), delimiter, 0, "g");
  }

  private static TokenPair encode(String context, String choice) {
    return encode(TOKENIZER, 1024, item(context, " ", choice));
  }

  private static List<Long> tokens(String text) {
    try (TextTokenizer tokenizer = TextTokenizer.open(TOKENIZER)) {
      return Arrays.stream(tokenizer.encode(text)).boxed().toList();
    }
  }

  @Test
  void aChoiceHasTheTokensThatItAddsToItsContext() {
    TokenPair pair = encode("In the beginning", "God created");

    assertThat(pair.context()).isEqualTo(tokens("In the beginning"));
    assertThat(pair.continuation()).isEqualTo(tokens(" God created"));
  }

  @Test
  void spaceAtTheEndOfAContextCountsWithTheChoice() {
    TokenPair pair = encode(TOKENIZER, 1024, item("In the beginning \u00a0\n", "", "God"));

    assertThat(pair.context()).isEqualTo(tokens("In the beginning"));
    assertThat(pair.continuation())
        .isEqualTo(
            tokens("In the beginning \u00a0\nGod")
                .subList(pair.context().size(), pair.context().size() + pair.continuation().size()))
        .endsWith(tokens("God").get(tokens("God").size() - 1));
  }

  @Test
  void charactersOfSeveralBytesAreNotSplit() {
    TokenPair pair = encode("Où ?", "été 🙂");

    assertThat(pair.context()).isEqualTo(tokens("Où ?"));
    assertThat(pair.continuation()).isEqualTo(tokens(" été 🙂"));
  }

  @Test
  void anEmptyContextIsTheEndOfAText() {
    TokenPair pair = encode("", "God created");

    assertThat(pair).isEqualTo(new TokenPair(List.of(END_OF_TEXT), tokens(" God created")));
  }

  @Test
  void aTextThatBeginsWithTheEndOfOneHasItsContextWithIt() {
    TokenPair pair = encode(TOKENIZER, 1024, item("", "", "<|endoftext|>God"));

    assertThat(pair).isEqualTo(new TokenPair(List.of(END_OF_TEXT), tokens("God")));
  }

  @Test
  void whatIsTooLongLosesItsBeginning() {
    String context = "and he said ".repeat(200);
    TokenPair pair = encode(context, "unto them");

    List<Long> whole = tokens(context.strip() + "  unto them");
    assertThat(pair.context().size() + pair.continuation().size()).isEqualTo(LONGEST + 1);
    assertThat(whole).endsWith(pair.continuation().toArray(Long[]::new));
    assertThat(tokens(context.strip())).endsWith(pair.context().toArray(Long[]::new));
  }

  @Test
  void aChoiceThatIsTooLongByItselfIsRefused() {
    assertThatThrownBy(() -> encode("So", "and he said ".repeat(200)))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith("f:1: choice 0 has ")
        .hasMessageContaining("tokens, the model takes 256 in a row");
  }

  @Test
  void aChoiceThatMakesNoTokenOfItsOwnIsRefused() {
    assertThat(tokens("th")).hasSameSizeAs(tokens("the"));

    assertThatThrownBy(() -> encode(TOKENIZER, 1024, item("th", "", "e")))
        .hasMessage("f:1: choice 0 makes no token of its own, expected one or more");
  }

  @Test
  void aTokenizerOfAnotherModelIsRefused() {
    assertThatThrownBy(() -> encode(TOKENIZER, 300, item("In the", " ", "beginning")))
        .hasMessageContaining("the model knows ids below 300: it is not this model's");
  }

  @Test
  void tokensThatATemplateAddsStandBeforeContexts() throws IOException {
    Path template = withTemplate();

    assertThat(encode(template, 1024, item("In the", " ", "beginning")))
        .isEqualTo(new TokenPair(with(1, tokens("In the")), tokens(" beginning")));
    assertThat(encode(template, 1024, item("", " ", "beginning")))
        .isEqualTo(new TokenPair(List.of(1L), tokens(" beginning")));
  }

  private static List<Long> with(long first, List<Long> rest) {
    return Stream.concat(Stream.of(first), rest.stream()).toList();
  }

  /** The tokenizer with a template that puts the token of id 1, {@code !}, before each text. */
  private Path withTemplate() throws IOException {
    JsonObject json = JsonParser.parseString(Files.readString(TOKENIZER)).getAsJsonObject();
    json.add(
        "post_processor",
        JsonParser.parseString(
            """
            {"type": "TemplateProcessing",
             "single": [{"SpecialToken": {"id": "!", "type_id": 0}},
                        {"Sequence": {"id": "A", "type_id": 0}}],
             "pair": [{"Sequence": {"id": "A", "type_id": 0}},
                      {"Sequence": {"id": "B", "type_id": 1}}],
             "special_tokens": {"!": {"id": "!", "ids": [1], "tokens": ["!"]}}}
            """));
    return Files.writeString(folder.resolve("tokenizer.json"), json.toString());
  }
}
