package io.moneonnx.bench;

import static io.moneonnx.pipeline.BenchFigures.median;

import com.sun.management.OperatingSystemMXBean;
import io.moneonnx.data.Batch;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Target;
import io.moneonnx.observe.Calibrator;
import io.moneonnx.observe.NonFinite;
import io.moneonnx.pipeline.LoadedModel;
import io.moneonnx.profile.Measured;
import io.moneonnx.run.Device;
import io.moneonnx.run.PeakMemory;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * What observing costs: {@code ObserveTime MODEL BATCHxTOKENS...} runs a made-up model as it is and
 * observed, in turns, and prints for each shape the median CPU seconds of both and the most memory
 * that each takes in a process of its own. {@code -Ddevice=cuda} runs it there, by the clock.
 * {@code --peak plain|observed MODEL BATCHxTOKENS} is such a process.
 */
final class ObserveTime {
  private static final int RUNS = 5;
  private static final int VOCABULARY = 256;

  /** One thread: others would wait busily for it between the nodes, and that is CPU time too. */
  private static final RunOptions OPTIONS =
      new RunOptions(
          Device.parse(System.getProperty("device", "cpu")),
          1,
          notice -> System.err.println(notice));

  private static final boolean ON_CPU = OPTIONS.device() instanceof Device.Cpu;

  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private ObserveTime() {}

  public static void main(String... args) throws IOException, InterruptedException {
    if (args[0].equals("--peak")) {
      try (Way way = Way.of(args[1], Path.of(args[2]))) {
        Batch batch = batch(args[3]);
        way.run(batch);
        way.run(batch);
        System.out.println(PeakMemory.bytes().orElseThrow());
      }
      return;
    }
    Path model = Path.of(args[0]);
    try (Way plain = Way.of("plain", model);
        Way observed = Way.of("observed", model)) {
      for (String shape : Arrays.asList(args).subList(1, args.length)) {
        print(model, plain, observed, shape);
      }
    }
  }

  private static void print(Path model, Way plain, Way observed, String shape)
      throws IOException, InterruptedException {
    Batch batch = batch(shape);
    plain.run(batch);
    observed.run(batch);
    List<Double> plainly = new ArrayList<>();
    List<Double> watched = new ArrayList<>();
    for (int i = 0; i < RUNS; i++) {
      plainly.add(seconds(plain, batch));
      watched.add(seconds(observed, batch));
    }
    double before = peakOf("plain", model, shape);
    double after = peakOf("observed", model, shape);
    System.out.printf(
        "%-8s  plain %8.4f s  observed %8.4f s  x%.3f   plain %6.0f MB  observed %6.0f MB  %+6.0f%n",
        shape,
        median(plainly),
        median(watched),
        median(watched) / median(plainly),
        before,
        after,
        after - before);
  }

  /** Short runs are repeated, for the clock of the process ticks slowly. */
  private static double seconds(Way way, Batch batch) {
    long from = nanos();
    int runs = 0;
    do {
      way.run(batch);
      runs++;
    } while (nanos() - from < 500_000_000L);
    return (nanos() - from) * 1e-9 / runs;
  }

  /** The CPU time of this process; where a GPU does the work, the time that passes. */
  private static long nanos() {
    return ON_CPU ? SYSTEM.getProcessCpuTime() : System.nanoTime();
  }

  private static double peakOf(String way, Path model, String shape)
      throws IOException, InterruptedException {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-Ddevice=" + OPTIONS.device(),
                "-cp",
                System.getProperty("java.class.path"),
                ObserveTime.class.getName(),
                "--peak",
                way,
                model.toString(),
                shape)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (child.waitFor() != 0) {
      throw new IllegalStateException("the run for memory failed: " + said);
    }
    return Long.parseLong(said) * 1e-6;
  }

  private static Batch batch(String shape) {
    long samples = Long.parseLong(shape.replaceAll("x.*", ""));
    long tokens = Long.parseLong(shape.replaceAll(".*x", ""));
    long[] ids = new Random(3).ints(samples * tokens, 0, VOCABULARY).asLongStream().toArray();
    return Batch.of(Map.of("input_ids", Tensor.of(List.of(samples, tokens), ids)));
  }

  /** One of the two ways to run a model. */
  private interface Way extends AutoCloseable {
    void run(Batch batch);

    @Override
    void close();

    static Way of(String name, Path model) {
      return name.equals("plain") ? plain(model) : observed(model);
    }

    private static Way plain(Path model) {
      LoadedModel.open(model, Target.CPU).requireBlocks();
      Session session = Session.open(model, OPTIONS);
      return new Way() {
        @Override
        public void run(Batch batch) {
          session.run(batch.feeds(), session.outputs());
        }

        @Override
        public void close() {
          session.close();
        }
      };
    }

    private static Way observed(Path model) {
      LoadedModel subject = LoadedModel.open(model, Target.CPU);
      Calibrator.Pass pass =
          new Calibrator(subject.model(), subject.folder(), subject.requireBlocks(), OPTIONS)
              .begin(NonFinite.STOP, 0);
      return new Way() {
        private Measured measured = Measured.NOTHING;

        @Override
        public void run(Batch batch) {
          measured = pass.add(measured, batch);
          if (!measured.disproved().isEmpty()) {
            throw new IllegalStateException("a block was disproved");
          }
        }

        @Override
        public void close() {
          pass.close();
        }
      };
    }
  }
}
