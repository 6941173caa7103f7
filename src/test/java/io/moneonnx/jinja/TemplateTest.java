package io.moneonnx.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TemplateTest {
  private static final Path CASES = Path.of("test-data/templates/cases.jsonl");
  private static final List<Map<String, String>> CHAT =
      List.of(message("user", "Hi there"), message("assistant", "Hello, how are you?"));

  /** Some cases print a message as a whole, in this order. */
  private static Map<String, String> message(String role, String content) {
    Map<String, String> message = new LinkedHashMap<>();
    message.put("role", role);
    message.put("content", content);
    return message;
  }

  private static String render(String template) {
    Map<String, Object> variables = new HashMap<>();
    variables.put("messages", CHAT);
    variables.put("tools", null);
    variables.put("documents", null);
    variables.put("add_generation_prompt", false);
    variables.put("bos_token", "<s>");
    variables.put("eos_token", "</s>");
    return Template.parse(template).render(variables);
  }

  static Stream<JsonObject> cases() throws IOException {
    return Files.readAllLines(CASES).stream()
        .map(line -> JsonParser.parseString(line).getAsJsonObject());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void rendersAsPythonDoesOrRefuses(JsonObject given) {
    String template = given.get("template").getAsString();
    if (given.has("text")) {
      assertThat(render(template)).isEqualTo(given.get("text").getAsString());
    } else {
      String refused = given.get("refused").getAsString();
      assertThatThrownBy(() -> render(template))
          .isInstanceOf(TemplateException.class)
          .hasMessageContaining(refused.equals("raises in Python") ? "line " : refused);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}",
        "{{ range(0, 1000000000) }}",
        "{{ range(1, 2, 0) }}",
        "{{ messages.__class__ }}",
        "{{ messages|map(attribute='__class__')|list }}",
      })
  void whatWouldNotEndOrReachesOutIsRefused(String template) {
    assertThatThrownBy(() -> render(template)).isInstanceOf(TemplateException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% for i in range(99999) %}{% for j in range(99999) %}text{% endfor %}{% endfor %}",
        "{% for i in range(99999) %}{% set l = range(99999)|list %}{% endfor %}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
      })
  void whatTakesTooLongOrGrowsTooLargeIsRefused(String template) {
    assertThatThrownBy(() -> render(template))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("line 1: it takes more than 134,217,728 steps");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a{% if true %}{% break %}{% endif %}b",
        "{% for m in messages %}{% set x %}{% continue %}{% endset %}{% endfor %}",
        "{% for m in messages %}{% macro f() %}{% break %}{% endmacro %}{% endfor %}",
      })
  void aBreakThatIsInNoLoopIsRefused(String template) {
    assertThatThrownBy(() -> render(template))
        .hasMessage("line 1: a break or continue is not in a loop");
  }

  @Test
  void longTemplatesAreReadInTimeThatGrowsWithThem() {
    String template = "{{ 1 }}\n".repeat(60_000) + "{{ ! }}";
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () ->
            assertThatThrownBy(() -> Template.parse(template))
                .hasMessageContaining("line 60001: "));
  }

  @Test
  void textOfAChatIsNoTemplate() {
    String text = Template.parse("{{ text }}").render(Map.of("text", "{{ 1 }}{% if %}"));
    assertThat(text).isEqualTo("{{ 1 }}{% if %}");
  }
}
