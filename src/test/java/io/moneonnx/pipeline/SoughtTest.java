package io.moneonnx.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.eval.TaggedPerplexity;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.moe.Target;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Ratio;
import io.moneonnx.plan.criterion.Criteria;
import io.moneonnx.profile.Profile;
import io.moneonnx.run.RunOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written is what keeps to the limit itself, not only what was tried in its place. */
class SoughtTest {
  private static final Path MODEL = Path.of("models", "olmoe-tiny", "model.onnx");
  private static final double LIMIT = 0.1;

  private static LoadedModel subject;
  private static Profile profile;

  @TempDir private Path folder;

  private final List<String> said = new ArrayList<>();

  @BeforeAll
  static void calibrates() {
    subject = LoadedModel.open(MODEL, Target.CPU);
    Calibrate calibrate = new Calibrate(subject, RunOptions.cpu(), new Silence());
    DataRequest data =
        new DataRequest(
            List.of(),
            new CalibrationOptions(
                OptionalInt.of(32),
                OptionalInt.of(4),
                OptionalInt.empty(),
                Optional.empty(),
                Optional.empty()));
    profile = calibrate.run(data, calibrate.open(data), Checkpoints.NONE);
  }

  /** Half of the experts, then a quarter; each file's perplexity is the next of these, of 20. */
  private Prune.Outcome write(double... perplexities) {
    Iterator<Double> next = DoubleStream.of(perplexities).iterator();
    List<Goal> goals = Stream.of("0.5", "0.25").map(SoughtTest::goal).toList();
    Search.Found found = new Search.Found(perplexity(20), LIMIT, 15, List.of(), goals);
    return new Prune(RunOptions.cpu(), new Listening(said))
        .carryOut(
            PlanSource.sought(found, profile, file -> perplexity(next.next())),
            subject,
            profile,
            this::prove);
  }

  private static Goal goal(String ratio) {
    return Goal.of(Criteria.named("mone"), Ratio.parse(ratio));
  }

  private static TaggedPerplexity perplexity(double total) {
    return new TaggedPerplexity(total, Map.of());
  }

  private Rewrite.Proved prove(PlanSource.Candidate candidate) {
    return new Rewrite(subject, RunOptions.cpu(), new Listening(said))
        .prove(
            new Rewrite.Request(out(), candidate.novice(), Optional.empty(), false, false),
            profile,
            candidate.plan(),
            Optional.empty());
  }

  private Path out() {
    return folder.resolve("pruned.onnx");
  }

  private List<Path> written() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }

  @Test
  void theLargestIsWrittenIfItsFileKeepsToTheLimit() {
    assertThat(write(21)).isInstanceOf(Prune.Result.class);

    assertThat(OnnxReader.read(out()).metadata()).containsEntry("mone-onnx.ratio", "0.5");
    assertThat(said).isEmpty();
  }

  @Test
  void theNextSmallerIsWrittenIfNot() throws IOException {
    Prune.Result result = (Prune.Result) write(22.5, 21);

    assertThat(result.goal()).contains(goal("0.25"));
    assertThat(result.search().orElseThrow().written()).isEqualTo(perplexity(21));
    assertThat(OnnxReader.read(out()).metadata()).containsEntry("mone-onnx.ratio", "0.25");
    assertThat(written()).containsExactly(out());
    assertThat(said)
        .containsExactly(
            "ratio 0.5: the rewritten file itself is beyond the limit; trying the next smaller ratio");
  }

  @Test
  void nothingIsWrittenIfNoFileDoes() throws IOException {
    assertThat(write(22.5, 23)).isInstanceOf(Prune.NoneWithin.class);

    assertThat(said).hasSize(2);
    assertThat(written()).isEmpty();
  }
}
