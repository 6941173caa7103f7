package io.moneonnx.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.data.TokenPair;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class LikelihoodsTest {
  private static final int WORDS = 5;

  /** Each word is looked up, words so far are added up, and the sum scores the next word. */
  static final String SUMS =
      """
      sums (int64[B, S] input_ids, int64[B, T] attention_mask, int64[B, S] position_ids)
        => (float[B, S, 5] logits)
      <float[5, 2] words = {1, -2, 0.5, 3, -1, 0, 2, 2, -3, 1}, float[2, 5] head = {1, 0, -1, 0.5, 2, 0, 1, 1, -2, 0.3},
       float[9, 2] places = {0, 0, 0.1, 0.2, -0.3, 0.4, 0.5, 0.1, -0.2, 0.7, 0.3, 0.1, 0.2, -0.6, 0.4, 0.4, 0.1, 0.1}, int64 along = {1}>
      {
        vectors = Gather (words, input_ids)
        where = Gather (places, position_ids)
        placed = Add (vectors, where)
        sums = CumSum (placed, along)
        bounded = Tanh (sums)
        logits = MatMul (bounded, head)
      }
      """;

  /** The same with a cache of what was added up. */
  static final String CACHED =
      SUMS.replace(
              "int64[B, S] position_ids)\n  => (float[B, S, 5] logits)",
              "int64[B, S] position_ids, float[B, 1, P, 2] past_key_values.0.key)\n"
                  + "  => (float[B, S, 5] logits, float[B, 1, T, 2] present.0.key)")
          .replace(
              "int64 along = {1}",
              "int64 along = {2}, int64[1] heads = {1}, int64[1] end = {9999}, int64[1] third = {2},"
                  + " int64[1] second = {1}")
          .replace(
              "  sums = CumSum (placed, along)\n",
              """
                headed = Unsqueeze (placed, heads)
                present.0.key = Concat <axis = 2> (past_key_values.0.key, headed)
                all = CumSum (present.0.key, along)
                sizes = Shape (input_ids)
                fed = Slice (sizes, second, third)
                start = Neg (fed)
                last = Slice (all, start, end, third)
                sums = Squeeze (last, heads)
              """);

  private final List<String> notices = new ArrayList<>();

  private Map<TokenPair, Double> score(
      String graph, OptionalInt batch, List<List<TokenPair>> items) {
    Model model =
        new Model(GraphText.parse(graph), 8, Map.of("", 17L), Map.of(), UnknownFields.NONE);
    RunOptions options = new RunOptions(new Device.Cpu(), 1, notices::add);
    try (Likelihoods likelihoods =
        Likelihoods.open(
            model, Path.of(""), new NextToken("input_ids", "logits"), batch, options)) {
      return likelihoods.of(items);
    }
  }

  private static List<Long> words(Random random, int count) {
    return random.longs(count, 0, WORDS).boxed().toList();
  }

  /** Items whose four choices share a context, of lengths of all kinds. */
  private static List<List<TokenPair>> items() {
    Random random = new Random(5);
    List<List<TokenPair>> items = new ArrayList<>();
    for (int item = 0; item < 6; item++) {
      List<Long> context = words(random, 1 + random.nextInt(4));
      items.add(
          LongStream.range(0, 4)
              .mapToObj(i -> new TokenPair(context, words(random, 1 + random.nextInt(4))))
              .toList());
    }
    return items;
  }

  private void agree(Map<TokenPair, Double> found, Map<TokenPair, Double> wanted) {
    assertThat(found).hasSameSizeAs(wanted);
    wanted.forEach(
        (pair, likelihood) -> assertThat(found.get(pair)).isCloseTo(likelihood, within(1e-5)));
  }

  @Test
  void isTheSumOfTheLogProbabilitiesOfTheChoicesTokens() {
    String bigram =
        """
        bigram (int64[B, S] input_ids) => (float[B, S, 3] logits)
        <float[3, 3] table = {0, 1, 0, 0, 0, 0, 2, 0, 0}>
        { logits = Gather (table, input_ids) }
        """;
    TokenPair one = new TokenPair(List.of(0L, 0L), List.of(1L, 2L));
    TokenPair other = new TokenPair(List.of(0L, 0L), List.of(2L));

    Map<TokenPair, Double> found = score(bigram, OptionalInt.empty(), List.of(List.of(one, other)));

    double oneAfterZero = 1 - Math.log(2 + Math.E);
    assertThat(found.get(one)).isCloseTo(oneAfterZero - Math.log(3), within(1e-6));
    assertThat(found.get(other)).isCloseTo(-Math.log(2 + Math.E), within(1e-6));
    assertThat(notices).isEmpty();
  }

  @Test
  void paddedBatchesGiveWhatOneSequenceAtATimeGives() {
    Map<TokenPair, Double> together = score(SUMS, OptionalInt.of(7), items());

    assertThat(notices).isEmpty();
    agree(together, score(SUMS, OptionalInt.of(1), items()));
  }

  @Test
  void aCachedContextGivesWhatWholeSequencesGive() {
    Map<TokenPair, Double> cached = score(CACHED, OptionalInt.of(3), items());

    assertThat(notices).isEmpty();
    agree(cached, score(SUMS, OptionalInt.of(1), items()));
  }

  @Test
  void choicesThatAreOneTokenAreReadOffOneRun() {
    List<Long> context = List.of(1L, 2L);
    List<TokenPair> letters =
        LongStream.range(0, 4).mapToObj(i -> new TokenPair(context, List.of(i))).toList();

    assertThat(TokenRow.of(letters)).hasSize(1);
    Map<TokenPair, Double> found = score(SUMS, OptionalInt.empty(), List.of(letters));
    agree(found, score(CACHED, OptionalInt.of(1), List.of(letters)));
    assertThat(found.values().stream().mapToDouble(Math::exp).sum()).isBetween(0.1, 0.999);
  }

  @Test
  void aCacheThatDoesNotHoldIsGivenUpAndNamed() {
    String broken =
        CACHED.replace("(past_key_values.0.key, headed)", "(headed, past_key_values.0.key)");

    Map<TokenPair, Double> found = score(broken, OptionalInt.of(3), items());

    agree(found, score(SUMS, OptionalInt.of(1), items()));
    assertThat(notices)
        .hasSize(2)
        .last()
        .asString()
        .startsWith("scoring continues with whole sequences, 3 a run: each context once")
        .contains("one sequence at a time -");
  }

  @Test
  void aModelThatLooksAheadIsRunOneSequenceAtATime() {
    String ahead = SUMS.replace("CumSum (placed, along)", "CumSum <reverse = 1> (placed, along)");

    Map<TokenPair, Double> found = score(ahead, OptionalInt.of(7), items());

    agree(found, score(ahead, OptionalInt.of(1), items()));
    assertThat(notices)
        .singleElement()
        .asString()
        .startsWith(
            "scoring continues with one sequence at a time: whole sequences, 7 a run gives");
  }

  @Test
  void aModelOfOneShapeIsFedThatShape() {
    String fixed = SUMS.replace("[B, S]", "[3, 8]").replace("[B, T]", "[3, 8]");

    agree(score(fixed, OptionalInt.empty(), items()), score(SUMS, OptionalInt.of(1), items()));
    assertThat(notices).isEmpty();
    assertThatThrownBy(() -> score(fixed, OptionalInt.of(2), items()))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("batch size 2, but the model takes exactly 3");
  }

  @Test
  void aModelThatWantsMoreThanTokensIsRefused() {
    String more =
        SUMS.replace("int64[B, S] position_ids", "int64[B, S] position_ids, float[B] heat");

    assertThatThrownBy(() -> score(more, OptionalInt.empty(), items()))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("'heat'");
  }
}
