package io.moneonnx.bench;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Writes a made-up language model of Mixture-of-Experts blocks, of any size: {@code input_ids
 * [batch, tokens]} to {@code logits [batch, tokens, vocabulary]}, each block behind a norm and
 * beside a residual. The weights are random numbers, the same at every call; they repeat after some
 * megabytes, which neither a file system nor ONNX Runtime notices.
 */
@CommandLine.Command(name = "made-model", mixinStandardHelpOptions = true)
final class MadeModel implements Runnable {
  private static final int POOL = 4 << 20;
  private static final float SCALE = 0.03f;

  @Parameters(index = "0", description = "sparse-loop, dense-loop, stacked-dense, ...")
  String form = "sparse-loop";

  @Parameters(index = "1", description = "The model file; its weights go to FILE.data.")
  Path out = Path.of("model.onnx");

  @Option(names = "--blocks")
  int blocks = 2;

  @Option(names = "--experts")
  int experts = 16;

  @Option(names = "--top-k")
  int topK = 4;

  @Option(names = "--hidden")
  int hidden = 1024;

  @Option(names = "--inner")
  int inner = 1024;

  @Option(names = "--vocabulary")
  int vocabulary = 256;

  @Option(names = "--type", description = "float or float16")
  String type = "float";

  @Option(names = "--inline", description = "Weights in the model file.")
  boolean inline;

  public static void main(String... args) {
    CommandLine line = new CommandLine(new MadeModel());
    System.exit(line.execute(args));
  }

  @Override
  public void run() {
    try {
      Path pool = Files.createTempFile("made-model", ".pool");
      try {
        fill(pool);
        Graph graph = withWeights(GraphText.parse(text()), pool);
        Map<String, Long> opsets = new LinkedHashMap<>(Map.of("", 18L));
        if (text().contains("com.microsoft.")) {
          opsets.put("com.microsoft", 1L);
        }
        OnnxWriter.write(
            new Model(graph, 10, opsets, Map.of(), List.of(), UnknownFields.NONE),
            out,
            inline ? Placement.INLINE : Placement.EXTERNAL);
      } finally {
        Files.delete(pool);
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private String text() {
    BlockText block = BlockText.valueOf(form.toUpperCase(Locale.ROOT).replace('-', '_'));
    String weights =
        perBlock(block.weights(experts), ", ")
            + ", $T[%d, $H] embedding, $T[$H, %d] head".formatted(vocabulary, vocabulary);
    String nodes =
        "words = Gather <axis = 0> (embedding, input_ids)\n"
            + "$stream0 = Reshape (words, rows)\n"
            + perBlock(
                """
                $b.square = Mul ($streamB, $streamB)
                $b.mean = ReduceMean ($b.square, last)
                $b.shifted = Add ($b.mean, epsilon)
                $b.root = Sqrt ($b.shifted)
                $b.x = Div ($streamB, $b.root)
                """
                    + block.nodes(experts)
                    + "$streamN = Add ($streamB, $b.routed)\n",
                "")
            + """
            flat = MatMul ($streamL, head)
            given = Shape (input_ids)
            shape = Concat <axis = 0> (given, last)
            logits = Reshape (flat, shape)
            """;
    return ("made (int64[batch, tokens] input_ids, "
            + weights
            + ") => ($T[batch, tokens, "
            + vocabulary
            + "] logits)\n<"
            + BlockText.CONSTANTS
            + ">\n{\n"
            + nodes
            + "}\n")
        .replace("$streamL", "stream" + blocks)
        .replace("$stream0", "stream0")
        .replace("$T", type)
        .replace("$t", Integer.toString(elementType().code()))
        .replace("$E", Integer.toString(experts))
        .replace("$k", Integer.toString(topK))
        .replace("$H", Integer.toString(hidden))
        .replace("$F", Integer.toString(2 * inner))
        .replace("$I", Integer.toString(inner));
  }

  private String perBlock(String part, String between) {
    return IntStream.range(0, blocks)
        .mapToObj(
            b ->
                part.replace("$streamB", "stream" + b)
                    .replace("$streamN", "stream" + (b + 1))
                    .replace("$b", "layers." + b))
        .collect(Collectors.joining(between));
  }

  private ElementType elementType() {
    return ElementType.valueOf(type.toUpperCase(Locale.ROOT));
  }

  private void fill(Path pool) throws IOException {
    Random random = new Random(7);
    float[] values = new float[POOL];
    for (int i = 0; i < POOL; i++) {
      values[i] = (float) random.nextGaussian() * SCALE;
    }
    ByteBuffer bytes = Tensor.of(elementType(), List.of((long) POOL), values).bytes();
    byte[] all = new byte[bytes.remaining()];
    bytes.get(all);
    Files.write(pool, all);
  }

  /** What the text declares as inputs, but for the tokens, becomes initializers. */
  private Graph withWeights(Graph graph, Path pool) {
    Map<String, Initializer> initializers = new LinkedHashMap<>(graph.initializers());
    initializers.put(
        "epsilon", Initializer.of("epsilon", Tensor.of(elementType(), List.of(1L), 1e-5f)));
    Random random = new Random(11);
    for (Value input : graph.inputs().subList(1, graph.inputs().size())) {
      List<Long> dims =
          input.shape().orElseThrow().stream().map(dimension -> dimension.size()).toList();
      initializers.put(input.name(), Initializer.of(input.name(), weights(dims, pool, random)));
    }
    return new Graph(
        graph.name(),
        graph.nodes(),
        initializers,
        graph.inputs().subList(0, 1),
        graph.outputs(),
        graph.declared(),
        graph.rest());
  }

  private Tensor weights(List<Long> dims, Path pool, Random random) {
    long size = elementType().bytes(POOL);
    List<FileRange> ranges = new ArrayList<>();
    long left = elementType().bytes(Tensor.elements(dims));
    for (long from = elementType().bytes(random.nextInt(POOL / 2)); left > 0; from = 0) {
      long length = Math.min(left, size - from);
      ranges.add(new FileRange(pool, from, length));
      left -= length;
    }
    return new Tensor.External(elementType(), dims, ranges);
  }
}
