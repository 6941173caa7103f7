package io.moneonnx.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.data.ChoiceItem;
import io.moneonnx.data.ModelFolder;
import io.moneonnx.data.ModelInputs;
import io.moneonnx.data.PairEncoder;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MultipleChoiceTest {
  private static final ModelFolder FOLDER = new ModelFolder(Path.of("models", "olmoe-tiny"));

  /** Every word is as likely as any other. */
  private static final String EVEN =
      """
      even (int64[B, S] input_ids) => (float[B, S, 1024] logits)
      <int64[1] last = {2}, int64[3] words = {1, 1, 1024}>
      {
        ids = Cast <to = 1> (input_ids)
        score = Log (ids)
        each = Unsqueeze (score, last)
        logits = Expand (each, words)
      }
      """;

  private static List<Answer> answers(String graph, List<ChoiceItem> items) {
    Model model =
        new Model(GraphText.parse(graph), 8, Map.of("", 17L), Map.of(), UnknownFields.NONE);
    List<Answer> answers = new ArrayList<>();
    try (PairEncoder encoder =
            PairEncoder.open(FOLDER.tokenizer(), ModelInputs.of(model.graph()), FOLDER);
        Likelihoods likelihoods =
            Likelihoods.open(
                model,
                FOLDER.path(),
                new NextToken("input_ids", "logits"),
                OptionalInt.empty(),
                RunOptions.cpu())) {
      new MultipleChoice(encoder, likelihoods).answer(items.iterator(), answers::add);
    }
    return answers;
  }

  private static ChoiceItem item(String place, String context) {
    return new ChoiceItem(place, List.of(context, context), List.of("it", "be it so"), " ", 0, "g");
  }

  @Test
  void answersComeInTheOrderOfTheItemsHowManyTheyAre() {
    List<ChoiceItem> items =
        IntStream.range(0, 600)
            .mapToObj(i -> item("f:" + i, "so ".repeat(1 + i * 37 % 11)))
            .toList();

    List<Answer> answers = answers(EVEN, items);

    assertThat(answers).extracting(Answer::item).isEqualTo(items);
    assertThat(answers).allMatch(Answer::isRight);
    assertThat(answers.get(7).logLikelihoods().get(0) / Math.log(1024))
        .isNegative()
        .isCloseTo(
            Math.rint(answers.get(7).logLikelihoods().get(0) / Math.log(1024)), within(1e-5));
  }

  @Test
  void whatIsNotFiniteIsRefusedByItem() {
    String undefined =
        EVEN.replace("Log (ids)", "Log (none)")
            .replace("  score", "  none = Sub (ids, ids)\n  score");

    assertThatThrownBy(() -> answers(undefined, List.of(item("f:1", "so"))))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith("f:1: choice 0: its log-likelihood is not finite");
  }
}
