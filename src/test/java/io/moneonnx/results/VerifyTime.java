package io.moneonnx.results;

import static io.moneonnx.pipeline.BenchFigures.median;

import io.moneonnx.data.Batch;
import io.moneonnx.data.Calibration;
import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataSource;
import io.moneonnx.data.ModelFolder;
import io.moneonnx.graph.Model;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.moe.Target;
import io.moneonnx.pipeline.DataRequest;
import io.moneonnx.pipeline.Silence;
import io.moneonnx.pipeline.Verify;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How long {@code verify} takes, against opening both models and running them with all their
 * outputs on the same data. Both are done in turn; medians count.
 *
 * <pre>{@code
 * java -cp target/test-classes:target/classes:... io.moneonnx.results.VerifyTime MODEL PRUNED DATA BLOCKS
 * }</pre>
 */
final class VerifyTime {
  private static final int ROUNDS = 7;

  private final RunOptions options = RunOptions.cpu();
  private final CalibrationOptions reading;
  private final Path model;
  private final Path pruned;
  private final List<DataSource> data;

  private VerifyTime(Path model, Path pruned, Path data, int blocks) {
    this.reading =
        new CalibrationOptions(
            OptionalInt.empty(),
            OptionalInt.of(blocks),
            OptionalInt.empty(),
            Optional.empty(),
            Optional.empty());
    this.model = model;
    this.pruned = pruned;
    this.data = DataSource.untagged(List.of(data));
  }

  public static void main(String... args) throws IOException {
    new VerifyTime(Path.of(args[0]), Path.of(args[1]), Path.of(args[2]), Integer.parseInt(args[3]))
        .measure();
  }

  private void measure() throws IOException {
    List<Double> plain = new ArrayList<>();
    List<Double> verified = new ArrayList<>();
    for (int round = 0; round <= ROUNDS; round++) {
      double alone = seconds(() -> run(model)) + seconds(() -> run(pruned));
      double together = seconds(this::verify);
      System.out.printf("%d: plain %.2f s, verify %.2f s%n", round, alone, together);
      if (round > 0) { // the first warms up
        plain.add(alone);
        verified.add(together);
      }
    }
    System.out.printf(
        "medians of %d: plain %.2f s, verify %.2f s, %.2f times%n",
        ROUNDS, median(plain), median(verified), median(verified) / median(plain));
  }

  private void run(Path file) {
    Model read = OnnxReader.read(file);
    Calibration batches = Calibration.open(data, ModelFolder.of(file), read.graph(), reading);
    try (Session session = Session.open(file, options)) {
      for (Batch batch : batches) {
        session.run(batch.feeds(), session.outputs());
      }
    }
  }

  private void verify() throws IOException {
    new Verify(options, new Silence())
        .run(
            new Verify.Request(
                model,
                pruned,
                Target.CPU,
                new DataRequest(data, reading),
                List.of(),
                Optional.empty()));
  }

  private static double seconds(Work work) throws IOException {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) / 1e9;
  }

  /** What is timed. */
  private interface Work {
    void run() throws IOException;
  }
}
