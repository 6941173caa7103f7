package io.moneonnx.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PlanFileTest {
  private static final Plan PLAN =
      new Plan(
          "sha256:00",
          Optional.of("sha256:77"),
          Optional.of("mone"),
          Optional.of(Novice.GATE2),
          Plan.Router.KEEP,
          Optional.of("ratio 0.25, scope layer"),
          Optional.of(new BigDecimal("0.25")),
          Optional.empty(),
          List.of(
              new Plan.Block("/layers.0/mlp", 8, List.of(3, 5)),
              new Plan.Block("/layers.1/mlp", 4, List.of())));

  private static final String TEXT =
      """
      {
        "model": "sha256:00",
        "profile": "sha256:77",
        "criterion": "mone",
        "novice": "gate2",
        "router": "keep",
        "budget": "ratio 0.25, scope layer",
        "ratio": 0.25,
        "blocks": [
          {
            "name": "/layers.0/mlp",
            "experts": 8,
            "pruned": [3, 5]
          },
          {
            "name": "/layers.1/mlp",
            "experts": 4,
            "pruned": []
          }
        ]
      }
      """;

  @TempDir Path folder;

  @Test
  void printsWhatAPersonCanRead() {
    assertThat(PlanFile.print(PLAN)).isEqualTo(TEXT);
  }

  @Test
  void readsBackWhatWasWritten() throws IOException {
    Path file = folder.resolve("plan.json");

    PlanFile.write(PLAN, file);

    assertThat(PlanFile.read(file)).isEqualTo(PLAN);
  }

  @Test
  void readsAPlanMadeByHand() {
    Plan plan =
        PlanFile.parse(
            """
            {"model": "sha256:00", "router": "keep",
             "requantize": true,
             "blocks": [{"name": "b", "experts": 2, "pruned": [1, 0]}]}
            """);

    assertThat(plan.isRequantized()).isTrue();
    assertThat(PlanFile.parse(PlanFile.print(plan))).isEqualTo(plan);
    assertThat(PLAN.isRequantized()).isFalse();
    assertThat(plan.pruned("b")).containsExactly(1, 0);
    assertThat(plan.pruned("left out")).isEmpty();
    assertThat(plan.criterion()).isEmpty();
    plan.check("sha256:00", Map.of("b", 2, "left out", 4));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"sha256:00\",      | \"sha256:00\"        | is no JSON: Unterminated object at line 3",
        "\"keep\"            | \"gone\"             | 'router' wants \"keep\" or \"cut\", found \"gone\"",
        "\"keep\"            | 1                    | plan: 'router' wants a text, found 1",
        "\"router\": \"keep\", | ``                 | plan: no key 'router'",
        "\"router\"          | \"Router\"           | plan: unknown key 'Router'; known are",
        "\"ratio\": 0.25     | \"requantize\": \"yes\" | plan: 'requantize' wants true or false, found",
        "\"ratio\": 0.25     | \"ratio\": \"a quarter\" | plan: 'ratio' wants a number, found",
        "\"name\": \"/layers.0/mlp\", | ``          | plan: blocks[0]: no key 'name'",
        "\"experts\": 8,     | ``                   | block '/layers.0/mlp': no key 'experts'",
        "\"experts\": 8      | \"experts\": 8.5     | 'experts' wants an integer, found 8.5",
        "\"experts\": 8,     | \"experts\": 8, \"kept\": 1, | block '/layers.0/mlp': unknown key 'kept'",
        "[3, 5]              | {\"3\": 5}           | 'pruned' wants an array, found {\"3\":5}",
        "[3, 5]              | [3, \"5\"]           | 'pruned' wants an integer, found \"5\"",
        "[3, 5]              | [3, 8] | 'pruned' names expert 8; its experts are 0 to 7",
        "[3, 5]              | [-1]   | block '/layers.0/mlp': 'pruned' names expert -1; its",
        "[3, 5]              | [3, 5, 3] | block '/layers.0/mlp': 'pruned' names expert 3 twice",
        "/layers.1/mlp       | /layers.0/mlp | block '/layers.0/mlp' is listed twice",
      })
  void saysWhereAPlanIsWrong(String found, String edited, String message) throws IOException {
    assertThat(TEXT).contains(found);
    Path file = Files.writeString(folder.resolve("plan.json"), TEXT.replace(found, edited));

    assertThatThrownBy(() -> PlanFile.read(file))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(message);
  }

  @Test
  void refusesTextThatIsNoJson() {
    assertThatThrownBy(() -> PlanFile.parse("prune half"))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("is no JSON")
        .hasMessageContaining("line 1 column");
    assertThatThrownBy(() -> PlanFile.parse(TEXT + "{}")).isInstanceOf(BadInputException.class);
    assertThatThrownBy(() -> PlanFile.parse("")).isInstanceOf(BadInputException.class);
    assertThatThrownBy(() -> PlanFile.parse("[]"))
        .hasMessageContaining("plan wants an object, found []");
  }

  @Test
  void refusesAPlanForAnotherModel() {
    Map<String, Integer> experts = Map.of("/layers.0/mlp", 8, "/layers.1/mlp", 4);

    PLAN.check("sha256:00", experts);
    assertThatThrownBy(() -> PLAN.check("sha256:11", experts))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("sha256:00")
        .hasMessageContaining("sha256:11");
    assertThatThrownBy(() -> PLAN.check("sha256:00", Map.of("/layers.0/mlp", 8)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("block '/layers.1/mlp' is not in the model");
    assertThatThrownBy(
            () -> PLAN.check("sha256:00", Map.of("/layers.0/mlp", 16, "/layers.1/mlp", 4)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("block '/layers.0/mlp' has 8 'experts', the model's has 16");
  }
}
