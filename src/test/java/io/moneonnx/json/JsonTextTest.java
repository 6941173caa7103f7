package io.moneonnx.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class JsonTextTest {
  private enum Router {
    KEEP {
      @Override
      public String toString() {
        return "keep";
      }
    }
  }

  private record Block(String name, int experts, Optional<String> note, List<Integer> pruned) {}

  @Test
  void aRecordIsAnObjectOfItsComponentsInTheirOrder() {
    assertThat(JsonText.of(new Block("b \"1\"", 4, Optional.of("x"), List.of(1, 2))))
        .isEqualTo("{\"name\":\"b \\\"1\\\"\",\"experts\":4,\"note\":\"x\",\"pruned\":[1,2]}");
  }

  @Test
  void anEmptyOptionalOfARecordIsNullOnOneLineAndHasNoKeyIndented() {
    Block block = new Block("b", 4, Optional.empty(), List.of());
    assertThat(JsonText.of(block))
        .isEqualTo("{\"name\":\"b\",\"experts\":4,\"note\":null,\"pruned\":[]}");
    assertThat(JsonText.indented(block)).doesNotContain("note");
  }

  @Test
  void aRecordIsTextsByComponent() {
    assertThat(JsonText.texts(new Block("b \"1\"", 4, Optional.of("x"), List.of(1, 2))))
        .isEqualTo(Map.of("name", "b \"1\"", "experts", "4", "note", "\"x\"", "pruned", "[1,2]"));
  }

  @Test
  void whatIsNotThereOrNotFiniteIsNullElsewhere() {
    Fields fields =
        new Fields()
            .with("none", Optional.empty())
            .with("null", null)
            .with("long", OptionalLong.empty())
            .with("double", OptionalDouble.of(0.5))
            .with("nan", Double.NaN)
            .with("infinite", Optional.of(Double.NEGATIVE_INFINITY))
            .withAny("left out", Optional.empty())
            .withAny("any", Optional.of(true));
    assertThat(JsonText.of(fields))
        .isEqualTo(
            "{\"none\":null,\"null\":null,\"long\":null,\"double\":0.5,\"nan\":null,"
                + "\"infinite\":null,\"any\":true}");
  }

  @Test
  void textsPathsAndConstantsAreWhatTheyPrintThemselvesAs() {
    assertThat(JsonText.of(List.of("a", Path.of("b"), Router.KEEP)))
        .isEqualTo("[\"a\",\"b\",\"keep\"]");
  }

  @Test
  void integersStandOnOneLineAndAllElseOnLinesOfItsOwn() {
    assertThat(
            JsonText.indented(
                new Fields()
                    .with("experts", List.of(3, 7))
                    .with("names", List.of("a"))
                    .with("by", Fields.of(Map.of("x", 1.5), x -> 2 * x))))
        .isEqualTo(
            """
            {
              "experts": [3, 7],
              "names": [
                "a"
              ],
              "by": {
                "x": 3.0
              }
            }
            """);
  }

  @Test
  void whatHasNoJsonIsNotGuessed() {
    assertThatThrownBy(() -> JsonText.of(new Object()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("JSON of class java.lang.Object is not known");
  }
}
