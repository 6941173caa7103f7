package io.moneonnx.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.moneonnx.graph.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatTemplateTest {
  private static final String TEMPLATE =
      "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m['content']|trim }}"
          + "{{ eos_token if m.role == 'assistant' }}{% endfor %}";
  private static final String CHAT =
      """
      {"messages": [{"role": "user", "content": " And God said "},
                    {"role": "assistant", "content": "Let there be light"}]}"""
          .replace("\n", "");
  private static final String RENDERED =
      "<|endoftext|>[user]And God said[assistant]Let there be light<|endoftext|>";

  @TempDir private Path folder;
  private Path tokenizer;

  @BeforeEach
  void copiesTokenizer() throws IOException {
    tokenizer =
        Files.copy(
            Fixtures.MODEL.resolveSibling("tokenizer.json"), folder.resolve("tokenizer.json"));
  }

  private void config(String template) throws IOException {
    JsonObject config = new JsonObject();
    config.addProperty("bos_token", "<|endoftext|>");
    config.add("eos_token", JsonParser.parseString("{\"content\": \"<|endoftext|>\"}"));
    config.add("chat_template", JsonParser.parseString(template));
    Files.writeString(folder.resolve("tokenizer_config.json"), config.toString());
  }

  private static String quoted(String text) {
    JsonObject field = new JsonObject();
    field.addProperty("text", text);
    return field.get("text").toString();
  }

  private String text(String record) {
    JsonObject fields = JsonParser.parseString(record).getAsJsonObject();
    String name = fields.has("messages") ? "messages" : "conversations";
    return new ChatTemplate(tokenizer).text(fields.getAsJsonArray(name), fields, "x.jsonl:1");
  }

  private Calibration open(String name, String... lines) throws IOException {
    Path file = Files.write(folder.resolve(name), List.of(lines));
    return Calibration.open(
        List.of(DataSource.untagged(file)),
        ModelFolder.of(Fixtures.MODEL),
        Fixtures.languageModel(1024, Fixtures.INPUT_IDS),
        new CalibrationOptions(
            OptionalInt.of(1),
            OptionalInt.empty(),
            OptionalInt.of(1),
            Optional.empty(),
            Optional.of(tokenizer)));
  }

  private static long[] tokens(Calibration data) {
    return StreamSupport.stream(data.spliterator(), false)
        .mapToLong(batch -> batch.feeds().get("input_ids").toLongs()[0])
        .toArray();
  }

  @Test
  void rendersByTheTemplateOfTheConfiguration() throws IOException {
    config(quoted(TEMPLATE));
    assertThat(text(CHAT)).isEqualTo(RENDERED);
  }

  @Test
  void rendersByTheDefaultOfSeveral() throws IOException {
    config(
        "[{\"name\": \"tool_use\", \"template\": \"x\"}, {\"name\": \"default\", \"template\": %s}]"
            .formatted(quoted(TEMPLATE)));
    assertThat(text(CHAT)).isEqualTo(RENDERED);
  }

  @Test
  void rendersByTheTemplateThatIsAFileFirst() throws IOException {
    config("\"x\"");
    Files.writeString(folder.resolve("chat_template.jinja"), TEMPLATE + "\n");
    assertThat(text(CHAT)).isEqualTo(RENDERED);
  }

  @Test
  void takesMessagesThatAreFromSomebody() throws IOException {
    config(quoted(TEMPLATE));
    assertThat(
            text(
                """
                {"conversations": [{"from": "human", "value": " And God said "},
                                   {"from": "gpt", "value": "Let there be light"}]}"""))
        .isEqualTo(RENDERED);
  }

  @Test
  void handsOnToolsAndValuesOfAllKinds() throws IOException {
    config(quoted("{{ tools|tojson }}{{ messages|tojson }}"));
    String fields = "[{\"role\": \"user\", \"a\": [1, 2.5, true, null, {\"b\": \"c\"}]}]";
    assertThat(text("{\"tools\": [{\"name\": \"f\"}], \"messages\": %s}".formatted(fields)))
        .isEqualTo("[{\"name\": \"f\"}]" + fields);
  }

  /** They begin and end with the token between documents, and get no other. */
  @Test
  void chatsAreMeasuredAsTheirTextIs() throws IOException {
    config(quoted(TEMPLATE));
    Calibration texts = open("text.json", "[" + quoted(RENDERED + RENDERED) + "]");

    Calibration chats = open("chats.jsonl", CHAT, CHAT);

    assertThat(tokens(chats)).startsWith(0L).isEqualTo(tokens(texts));
    assertThat(chats.notices())
        .anyMatch(line -> line.startsWith("chats are rendered by the template of " + folder));
    assertThat(chats.chatTemplate()).hasSize(1);
    assertThat(texts.chatTemplate()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{{ raise_exception('no') }}|{\"messages\": [{\"role\": \"user\"}]}|x.jsonl:1: the chat template of|line 1: it raises: no",
        "{{ 1 is callable }}|{\"messages\": [{\"role\": \"user\"}]}|does not render it|the test 'callable' is not supported",
        "{% call f() %}|{\"messages\": [{\"role\": \"user\"}]}|tokenizer_config.json: line 1|statement 'call' is not supported",
        "{{ 1 }}|{\"messages\": []}|x.jsonl:1|is a chat without messages",
        "{{ 1 }}|{\"messages\": [\"Hi\"]}|x.jsonl:1: message 0|expected {",
        "{{ 1 }}|{\"messages\": [{\"content\": \"Hi\"}]}|x.jsonl:1: message 0|found no 'role'",
        "{{ 1 }}|{\"conversations\": [{\"from\": \"ape\", \"value\": \"Hi\"}]}|message 0: found from 'ape'|expected from human",
        "{{ 1 }}|{\"messages\": [{\"role\": \"user\"}], \"tools\": \"f\"}|x.jsonl:1: found tools|definitions",
      })
  void whatIsNotRenderedIsRefused(String template, String record, String place, String reason)
      throws IOException {
    config(quoted(template));
    assertThatThrownBy(() -> text(record))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining(place)
        .hasMessageContaining(reason);
  }

  @Test
  void aFieldThatIsNamedAndMissingIsNotReplacedByAChat() throws IOException {
    config(quoted(TEMPLATE));
    Path file = Files.writeString(folder.resolve("chats.jsonl"), CHAT);
    TextFile named = new TextFile(file, Optional.of("body"), new ChatTemplate(tokenizer));
    try (TextTokenizer opened = TextTokenizer.open(tokenizer)) {
      TokenPacker packer = new TokenPacker(opened, OptionalLong.empty(), 9);
      assertThatThrownBy(() -> named.readInto(packer))
          .isInstanceOf(BadInputException.class)
          .hasMessageContaining("chats.jsonl:1: found no text in field 'body'");
    }
  }

  @Test
  void aMissingTemplateIsNamed() throws IOException {
    assertThatThrownBy(() -> text(CHAT)).hasMessageContaining("tokenizer_config.json is not there");
    config("null");
    assertThatThrownBy(() -> text(CHAT)).hasMessageContaining("has no chat_template");
    Files.writeString(folder.resolve("tokenizer_config.json"), "{");
    assertThatThrownBy(() -> text(CHAT)).hasMessageContaining("is no readable JSON");
  }
}
