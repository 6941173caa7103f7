package io.moneonnx.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Removal;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Plans cost in the evaluation graph what they cost in a rewritten model. */
final class EvaluationTest {
  private static final Path HERE = Path.of("");

  private static final List<Map<String, Tensor>> BATCHES =
      List.of(
          Map.of("input_ids", TinyLanguageModel.tokens(2, 9, 1)),
          Map.of("input_ids", TinyLanguageModel.tokens(1, 5, 2)));

  private static Replacement replacement(int... experts) {
    TreeMap<Integer, float[]> novices = new TreeMap<>();
    for (int expert : experts) {
      novices.put(expert, new float[] {0.3f * expert, -0.2f, 0.1f, 0.5f});
    }
    return Replacement.byNovices(novices);
  }

  private static Losses losses(
      Model model,
      List<MoeBlock> blocks,
      NextToken nextToken,
      ModelChanges treatment,
      List<Map<String, Tensor>> batches) {
    try (Evaluation evaluation =
        Evaluation.open(Canonical.of(model).model(), HERE, blocks, nextToken, RunOptions.cpu())) {
      return evaluation.losses(treatment, batches);
    }
  }

  private static Losses losses(TinyMoe tiny, ModelChanges treatment) {
    return losses(
        tiny.model(), List.of(tiny.block()), TinyLanguageModel.NEXT_TOKEN, treatment, BATCHES);
  }

  /** The same from logits, by the definition. */
  private static List<Double> nats(Model model) {
    List<Double> means = new ArrayList<>();
    for (Map<String, Tensor> batch : BATCHES) {
      Tensor ids = batch.get("input_ids");
      float[] logits = TinyMoe.run(model, batch, List.of("next")).get("next").toFloats();
      int sequence = ids.dims().get(1).intValue();
      for (int row = 0; row < ids.dims().get(0); row++) {
        double sum = 0;
        for (int token = 0; token < sequence - 1; token++) {
          int at = (row * sequence + token) * TinyLanguageModel.VOCABULARY;
          int next = (int) ids.toLongs()[row * sequence + token + 1];
          double total = 0;
          for (int word = 0; word < TinyLanguageModel.VOCABULARY; word++) {
            total += Math.exp(logits[at + word]);
          }
          sum += Math.log(total) - logits[at + next];
        }
        means.add(sum / (sequence - 1));
      }
    }
    return means;
  }

  private static void agree(List<Double> found, List<Double> wanted) {
    assertThat(found).hasSameSizeAs(wanted);
    for (int i = 0; i < wanted.size(); i++) {
      assertThat(found.get(i)).isCloseTo(wanted.get(i), within(1e-5));
    }
  }

  @ParameterizedTest
  @EnumSource
  void losesWhatTheOriginalLoses(Spelling spelling) {
    TinyMoe tiny = TinyLanguageModel.of(spelling);

    agree(losses(tiny, ModelChanges.NONE).nats(), nats(tiny.model()));
  }

  @ParameterizedTest
  @EnumSource
  void losesWhatARewrittenModelLoses(Spelling spelling) {
    TinyMoe tiny = TinyLanguageModel.of(spelling);
    Map<String, Change> changes = Map.of(tiny.block().name(), replacement(0, 3));
    Model rewritten = Rewriter.rewrite(Canonical.of(tiny.model()), List.of(tiny.block()), changes);

    List<Double> found = losses(tiny, new ModelChanges(changes)).nats();

    agree(found, nats(rewritten));
    assertThat(found).isNotEqualTo(losses(tiny, ModelChanges.NONE).nats());
  }

  @ParameterizedTest
  @EnumSource
  void losesWithACutRouterWhatAModelWithoutTheseExpertsLoses(Spelling spelling) {
    TinyMoe tiny = TinyLanguageModel.of(spelling);
    Map<String, Change> changes =
        Map.of(tiny.block().name(), new Removal(new TreeSet<>(Set.of(0, 3))));
    Model rewritten = Rewriter.rewrite(Canonical.of(tiny.model()), List.of(tiny.block()), changes);

    List<Double> found = losses(tiny, new ModelChanges(changes)).nats();

    agree(found, nats(rewritten));
    assertThat(found).isNotEqualTo(losses(tiny, ModelChanges.NONE).nats());
  }

  @Test
  void cutsNoRouterThatWouldBeLeftTooFew() {
    TinyMoe tiny = TinyLanguageModel.of(Spelling.DYNAMO);
    Map<String, Change> changes =
        Map.of(tiny.block().name(), new Removal(new TreeSet<>(Set.of(0, 1, 3))));

    assertThatThrownBy(() -> losses(tiny, new ModelChanges(changes)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("block 'experts': its router cannot be cut: 1 of 4 experts");
  }

  /** A model that knows which word follows which, and has no experts. */
  private static Losses bigram(String table, Map<String, Tensor> batch) {
    Model model =
        new Model(
            GraphText.parse(
                """
                bigram (int32[B, S] words, int64[B, P] attention_mask) => (float16[B, S, 3] next)
                <float[3, 3] table = {$table}>
                {
                  wide = Gather (table, words)
                  next = Cast <to = 10> (wide)
                }
                """
                    .replace("$table", table)),
            8,
            Map.of("", 17L),
            Map.of(),
            UnknownFields.NONE);
    return losses(
        model, List.of(), new NextToken("words", "next"), ModelChanges.NONE, List.of(batch));
  }

  private static Map<String, Tensor> words(int[] words, long... mask) {
    ByteBuffer ids = ByteBuffer.allocate(4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
    ids.asIntBuffer().put(words);
    return Map.of(
        "words",
        new Tensor.Inline(ElementType.INT32, List.of(1L, (long) words.length), ids),
        "attention_mask",
        Tensor.of(List.of(1L, (long) mask.length), mask));
  }

  @Test
  void isTheMeanOfNegativeLogLikelihoods() {
    Losses losses = bigram("0, 1, 0, 0, 0, 0, 2, 0, 0", words(new int[] {0, 1, 2, 2}, 1, 1, 1, 1));

    double first = Math.log(2 + Math.E) - 1; // 1 after 0
    double second = Math.log(3); // 2 after 1
    double third = Math.log(2 + Math.E * Math.E); // 2 after 2
    assertThat(losses.mean()).isCloseTo((first + second + third) / 3, within(1e-6));
    assertThat(losses.accuracy()).isCloseTo(1.0 / 3, within(1e-6));
  }

  @Test
  void tokensThatTheMaskHidesDoNotCount() {
    Losses losses = bigram("0, 1, 0, 0, 0, 0, 2, 0, 0", words(new int[] {2, 0, 1, 2}, 0, 1, 1, 0));

    assertThat(losses.mean()).isCloseTo(Math.log(2 + Math.E) - 1, within(1e-6));
  }

  @Test
  void sequencesOfOneTokenHoldNothingToForesee() {
    assertThatThrownBy(() -> bigram("0, 1, 0, 0, 0, 0, 2, 0, 0", words(new int[] {2}, 1)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("no sequence of two tokens");
  }

  @Test
  void theErrorOfADifferenceIsThatOfPairs() {
    Losses before = new Losses(List.of(1.0, 5.0, 9.0), List.of(0.0, 0.0, 0.0), List.of(1, 1, 1));
    Losses after = new Losses(List.of(1.1, 5.2, 9.3), List.of(0.0, 0.0, 0.0), List.of(1, 1, 1));

    Estimate above = after.above(before);

    assertThat(above.mean()).isCloseTo(0.2, within(1e-12));
    assertThat(above.standardError()).isCloseTo(0.1 / Math.sqrt(3), within(1e-12));
  }
}
