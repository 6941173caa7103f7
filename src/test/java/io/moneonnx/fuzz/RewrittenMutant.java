package io.moneonnx.fuzz;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import com.google.protobuf.ByteString;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.cli.Main;
import io.moneonnx.data.Fixtures;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.proto.onnx.ModelProto;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A mutant of a small model that ONNX Runtime still runs, rewritten by the command with novices of
 * zero, and held against the same mutant in which the down projections of pruned experts are zero:
 * an oracle that knows nothing of blocks, forms or routers.
 */
final class RewrittenMutant {
  private static final int TOKENS = 24;
  private static final int DATA = 48;
  private static final int HIDDEN = 4;
  private static final double BOUND = 1e-5;
  private static final double LAST_BITS = 1e-6;

  /** What one came to. */
  enum End {
    REWRITTEN(true),
    NO_BLOCK(true),
    NOT_VALID(true),
    REFUSED(false),
    RUNTIME_FAILED(false),
    PROOF_FAILED(false),
    WRONG(false),
    DEFECT(false);

    /** True for what is not worth a look. */
    final boolean isUsual;

    End(boolean isUsual) {
      this.isUsual = isUsual;
    }
  }

  private final Path folder;

  private RewrittenMutant(Path folder) {
    this.folder = folder;
  }

  /**
   * Tries mutants until it is stopped, and prints the number of each when it begins and what it
   * came to.
   *
   * @param args a folder, and the number of the first
   */
  public static void main(String... args) throws IOException {
    PrintStream out = System.out;
    for (int seed = Integer.parseInt(args[1]); ; seed++) {
      out.println(seed);
      out.println(new RewrittenMutant(Path.of(args[0])).attempt(new Random(seed), seed));
    }
  }

  private End attempt(Random random, int seed) throws IOException {
    Spelling[] spellings = Spelling.values();
    int experts = 4 + 2 * random.nextInt(3);
    TinyMoe tiny =
        spellings[random.nextInt(spellings.length)].of(experts, 1 + random.nextInt(2), HIDDEN);
    Path file = folder.resolve("mutant.onnx");
    OnnxWriter.write(tiny.model(), file, Placement.INLINE);
    ModelProto whole = ModelProto.parseFrom(Files.readAllBytes(file));
    ModelProto mutant = GraphMutation.of(whole, 1 + random.nextInt(3), random::nextInt);
    byte[] bytes = mutant.toByteArray();
    Files.write(file, bytes);
    if (quietly("inspect", file) != 0) {
      return End.NO_BLOCK;
    }
    boolean isValid =
        IntStream.of(1, TOKENS, DATA)
            .allMatch(tokens -> run(bytes, tiny.tokens(tokens, seed).toFloats()).isPresent());
    if (!isValid || !downs(mutant).equals(downs(whole))) {
      return End.NOT_VALID;
    }

    List<Integer> order = new ArrayList<>(IntStream.range(0, experts).boxed().toList());
    Collections.shuffle(order, random);
    List<Integer> gone = order.subList(0, experts / 2);
    Path out = folder.resolve("out.onnx");
    Files.deleteIfExists(out);
    int code = rewrite(file, order.subList(experts / 2, experts), tiny.tokens(DATA, seed), out);
    return switch (code) {
      case 0 -> isRight(mutant, out, gone, tiny, seed) ? End.REWRITTEN : End.WRONG;
      case 1 -> End.PROOF_FAILED;
      case 2, 3 -> End.REFUSED;
      case 4 -> End.RUNTIME_FAILED;
      default -> End.DEFECT;
    };
  }

  /**
   * Tokens that meet no pruned expert come out to the bit, but for the fused operator, whose kernel
   * does not always add up in one order.
   */
  private static boolean isRight(
      ModelProto mutant, Path out, List<Integer> gone, TinyMoe tiny, int seed) throws IOException {
    float[] x = tiny.tokens(TOKENS, seed).toFloats();
    float[] before = run(mutant.toByteArray(), x).orElseThrow();
    float[] wanted = run(scaled(mutant, gone, 0).toByteArray(), x).orElseThrow();
    float[] noise = run(scaled(mutant, gone, -3).toByteArray(), x).orElseThrow();
    float[] found = run(Files.readAllBytes(out), x).orElseThrow();
    int width = before.length / TOKENS;
    boolean isRight = before.length % TOKENS == 0 && found.length == before.length;
    double exact = tiny.spelling() == Spelling.FUSED ? LAST_BITS : 0;
    for (int token = 0; isRight && token < TOKENS; token++) {
      float[] untouched = row(before, token, width);
      boolean meetsNone =
          Arrays.equals(untouched, row(wanted, token, width))
              && Arrays.equals(untouched, row(noise, token, width));
      isRight =
          isNear(row(wanted, token, width), row(found, token, width), meetsNone ? exact : BOUND);
    }
    return isRight;
  }

  private static float[] row(float[] values, int token, int width) {
    return Arrays.copyOfRange(values, token * width, (token + 1) * width);
  }

  private static boolean isNear(float[] wanted, float[] found, double bound) {
    double largest = 0;
    for (float value : wanted) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < wanted.length; i++) {
      if (!(Math.abs(wanted[i] - found[i]) <= bound * Math.max(largest, 1))) {
        return false;
      }
    }
    return true;
  }

  private static List<TensorProto> downs(ModelProto model) {
    return model.getGraph().getInitializerList().stream()
        .filter(tensor -> tensor.getName().startsWith("down"))
        .toList();
  }

  /** The model with the down projections of these experts times a number. */
  private static ModelProto scaled(ModelProto model, List<Integer> experts, float by) {
    ModelProto.Builder scaled = model.toBuilder();
    for (TensorProto.Builder tensor : scaled.getGraphBuilder().getInitializerBuilderList()) {
      int stacked = tensor.getName().equals("down") ? Math.toIntExact(tensor.getDims(0)) : 1;
      if (tensor.getName().startsWith("down")) {
        scale(
            tensor,
            stacked,
            part ->
                experts.contains(
                    stacked > 1 ? part : Integer.parseInt(tensor.getName().substring(4))),
            by);
      }
    }
    return scaled.build();
  }

  private static void scale(TensorProto.Builder tensor, int parts, IntPredicate isGone, float by) {
    ByteBuffer raw =
        ByteBuffer.wrap(tensor.getRawData().toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
    FloatBuffer values = raw.asFloatBuffer();
    int each = values.capacity() / parts;
    for (int i = 0; i < values.capacity(); i++) {
      if (isGone.test(i / each)) {
        values.put(i, values.get(i) * by);
      }
    }
    tensor.setRawData(ByteString.copyFrom(raw.array()));
  }

  /** What the first output is; empty where the runtime does not take or run the model. */
  private static Optional<float[]> run(byte[] model, float[] x) {
    OrtEnvironment runtime = OrtEnvironment.getEnvironment();
    long[] shape = {x.length / HIDDEN, HIDDEN};
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
      try (OrtSession session = runtime.createSession(model, options);
          OnnxTensor tokens = OnnxTensor.createTensor(runtime, FloatBuffer.wrap(x), shape);
          OrtSession.Result result = session.run(Map.of("x", tokens), Set.of("y"))) {
        FloatBuffer values = ((OnnxTensor) result.get(0)).getFloatBuffer();
        float[] found = new float[values == null ? 0 : values.remaining()];
        for (int i = 0; i < found.length; i++) {
          found[i] = values.get(i);
          if (!Float.isFinite(found[i])) {
            return Optional.empty();
          }
        }
        return found.length == 0 ? Optional.empty() : Optional.of(found);
      }
    } catch (OrtException e) {
      return Optional.empty();
    }
  }

  private int rewrite(Path model, List<Integer> kept, Tensor x, Path out) throws IOException {
    ByteBuffer bytes = x.bytes();
    byte[] elements = new byte[bytes.remaining()];
    bytes.get(elements);
    byte[] array = Fixtures.npy("<f4", "(%d, %d)".formatted(x.dims().get(0), HIDDEN), elements);
    Path data = Fixtures.npz(folder.resolve("x.npz"), Map.of("x", array));
    String protectedOnes = kept.stream().map(e -> "0:" + e).collect(Collectors.joining(","));
    return quietly(
        "rewrite",
        model,
        "--data",
        data,
        "--ratio",
        "0.5",
        "--protect",
        protectedOnes,
        "--novice",
        "zero",
        "--device",
        "cpu",
        "--threads",
        1,
        "-o",
        out);
  }

  private static int quietly(Object... command) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    try {
      System.setOut(new PrintStream(PrintStream.nullOutputStream(), false, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(PrintStream.nullOutputStream(), false, StandardCharsets.UTF_8));
      return Main.run(Arrays.stream(command).map(String::valueOf).toArray(String[]::new));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }
}
