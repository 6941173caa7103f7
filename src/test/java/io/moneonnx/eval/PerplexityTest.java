package io.moneonnx.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.data.Passage;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class PerplexityTest {
  private static final Path HERE = Path.of("");
  private static final int LENGTH = 7;

  /** Two rows of {@link #LENGTH} tokens; the token after a row's last is the seed's choice, too. */
  private static Passage passage(String source, BitSet first, BitSet second) {
    long[] all = TinyLanguageModel.tokens(2, LENGTH + 1, 5).toLongs();
    long[] fed = new long[2 * LENGTH];
    long[] next = new long[2 * LENGTH];
    for (int i = 0; i < fed.length; i++) {
      fed[i] = all[i + i / LENGTH];
      next[i] = all[i + i / LENGTH + 1];
    }
    List<Long> dims = List.of(2L, (long) LENGTH);
    return new Passage(
        source,
        Map.of("input_ids", Tensor.of(dims, fed)),
        Tensor.of(dims, next),
        List.of(
            new Passage.Row(first, OptionalLong.of(10)),
            new Passage.Row(second, OptionalLong.of(20))));
  }

  private static BitSet from(int first, int last) {
    BitSet positions = new BitSet();
    positions.set(first, last);
    return positions;
  }

  private static PerplexityBySource measure(TinyMoe tiny, List<Passage> passages) {
    try (TokenLossModel model =
        TokenLossModel.open(tiny.model(), HERE, TinyLanguageModel.NEXT_TOKEN, RunOptions.cpu())) {
      PerplexityBySource found = new PerplexityBySource(model);
      passages.forEach(found);
      return found;
    }
  }

  /** {@code -log p} of the token after a position, from the logits, by the definition. */
  private static double nats(TinyMoe tiny, Passage passage, int row, int position) {
    float[] logits =
        TinyMoe.run(tiny.model(), passage.feeds(), List.of("next")).get("next").toFloats();
    int at = (row * LENGTH + position) * TinyLanguageModel.VOCABULARY;
    double total = 0;
    for (int word = 0; word < TinyLanguageModel.VOCABULARY; word++) {
      total += Math.exp(logits[at + word]);
    }
    int next = (int) passage.next().toLongs()[row * LENGTH + position];
    return Math.log(total) - logits[at + next];
  }

  @ParameterizedTest
  @EnumSource
  void sumsWhatTheTokensThatCountLose(Spelling spelling) {
    TinyMoe tiny = TinyLanguageModel.of(spelling);
    Passage passage = passage("a", from(0, LENGTH), from(3, 5));
    double wanted = nats(tiny, passage, 1, 3) + nats(tiny, passage, 1, 4);
    for (int position = 0; position < LENGTH; position++) {
      wanted += nats(tiny, passage, 0, position);
    }

    Perplexity found = measure(tiny, List.of(passage)).total();

    assertThat(found.tokens()).isEqualTo(LENGTH + 2);
    assertThat(found.nats()).isCloseTo(wanted, within(1e-5));
    assertThat(found.perToken()).isCloseTo(Math.exp(wanted / (LENGTH + 2)), within(1e-5));
    assertThat(found.perByte()).isCloseTo(Math.exp(wanted / 30), within(1e-5));
    assertThat(found.bitsPerByte()).isCloseTo(wanted / 30 / Math.log(2), within(1e-5));
  }

  @Test
  void aSourceWithMoreTokensCountsMoreInTheTotal() {
    TinyMoe tiny = TinyLanguageModel.of(Spelling.DYNAMO);
    Passage all = passage("all", from(0, LENGTH), from(0, LENGTH));
    Passage one = passage("one", from(2, 3), new BitSet());

    PerplexityBySource found = measure(tiny, List.of(all, one));

    assertThat(found.sources()).containsOnlyKeys("all", "one");
    assertThat(found.sources().get("one").tokens()).isOne();
    assertThat(found.sources().get("one").windows()).isOne();
    assertThat(found.sources().get("one").standardError()).isNaN();
    assertThat(found.total().tokens()).isEqualTo(2 * LENGTH + 1);
    assertThat(found.total().nats())
        .isCloseTo(
            found.sources().get("all").nats() + found.sources().get("one").nats(), within(1e-9));
  }

  @Test
  void countsTheTokensThatAreRankedFirst() {
    TinyMoe tiny = TinyLanguageModel.of(Spelling.DYNAMO);
    Passage given = passage("a", from(0, LENGTH), from(0, LENGTH));
    float[] logits =
        TinyMoe.run(tiny.model(), given.feeds(), List.of("next")).get("next").toFloats();
    long[] next = new long[2 * LENGTH];
    for (int position = 0; position < next.length; position++) {
      int best = best(logits, position * TinyLanguageModel.VOCABULARY);
      next[position] = position < 3 ? best : (best + 1) % TinyLanguageModel.VOCABULARY;
    }
    Passage passage =
        new Passage("a", given.feeds(), Tensor.of(given.next().dims(), next), given.rows());

    Perplexity found = measure(tiny, List.of(passage)).total();

    assertThat(found.right()).isEqualTo(3);
    assertThat(found.accuracy()).isEqualTo(3 / (2.0 * LENGTH));
  }

  private static int best(float[] logits, int from) {
    int best = 0;
    for (int word = 1; word < TinyLanguageModel.VOCABULARY; word++) {
      best = logits[from + word] > logits[from + best] ? word : best;
    }
    return best;
  }

  @Test
  void aSourceWithoutTokensThatCountIsRefused() {
    TinyMoe tiny = TinyLanguageModel.of(Spelling.DYNAMO);
    PerplexityBySource found =
        measure(tiny, List.of(passage("hidden", new BitSet(), new BitSet())));

    assertThatThrownBy(found::sources)
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("hidden: holds no sequence of two tokens that count");
  }

  private static Perplexity tally(double... natsAndTokens) {
    PerplexityTally tally = new PerplexityTally();
    for (int i = 0; i < natsAndTokens.length; i += 2) {
      tally.add((long) natsAndTokens[i + 1], natsAndTokens[i], 0, OptionalLong.empty());
    }
    return tally.perplexity("test");
  }

  @Test
  void theErrorIsThatOfTheMeanWhereWindowsAreOfOneLength() {
    Perplexity found = tally(1000, 100, 1100, 100, 1260, 100);

    Estimate wanted = Estimate.of(List.of(10.0, 11.0, 12.6));
    assertThat(found.natsPerToken()).isCloseTo(wanted.mean(), within(1e-12));
    assertThat(found.standardError()).isCloseTo(wanted.standardError(), within(1e-12));
  }

  @Test
  void theErrorIsThatOfARatioWhereTheyAreNot() {
    Perplexity found = tally(10, 4, 30, 10, 3, 2);

    double ratio = 43.0 / 16;
    double squares =
        Math.pow(10 - ratio * 4, 2) + Math.pow(30 - ratio * 10, 2) + Math.pow(3 - ratio * 2, 2);
    assertThat(found.standardError()).isCloseTo(Math.sqrt(squares * 3 / 2) / 16, within(1e-12));
  }

  @Test
  void thereIsNoErrorWhereWindowsOfOtherLengthsLoseAlike() {
    assertThat(tally(2, 1, 4, 2, 200, 100).standardError()).isCloseTo(0, within(1e-9));
  }

  @Test
  void bytesOfAMixtureAreNotKnown() {
    PerplexityTally tally = new PerplexityTally();
    tally.add(3, 4, 1, OptionalLong.of(12));
    tally.add(3, 4, 1, OptionalLong.empty());

    assertThat(tally.perplexity("mixed").bytes()).isEmpty();
  }

  @Test
  void aLossThatIsNoNumberIsRefused() {
    TinyMoe broken =
        TinyLanguageModel.of(Spelling.DYNAMO)
            .with(
                "  next = MatMul (wordsOut, wordHead)",
                """
                  wordScores = MatMul (wordsOut, wordHead)
                  wordZeros = Sub (wordScores, wordScores)
                  next = Div (wordZeros, wordZeros)\
                """);

    assertThatThrownBy(
            () -> measure(broken, List.of(passage("a", from(0, LENGTH), from(0, LENGTH)))))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("a: the model's loss is NaN for some token");
  }
}
