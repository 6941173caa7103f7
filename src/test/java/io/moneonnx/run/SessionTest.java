package io.moneonnx.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import io.moneonnx.io.InMemory;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class SessionTest {
  private static final Model DOUBLING =
      model(
          """
          doubling (float[T, 2] x) => (float[T, 2] y, int64[2] shape)
          <float[2] two = {2, 2}>
          {
            y = Mul (x, two)
            shape = Shape (x)
          }
          """);

  private static final Tensor TWO_ROWS = Tensor.of(List.of(2L, 2L), 1f, 2, 3, 4);

  @TempDir Path folder;

  @Test
  void givesTheOutputsAskedForInThatOrder() {
    try (Session session = open(DOUBLING)) {
      Map<String, Tensor> results = session.run(Map.of("x", TWO_ROWS), List.of("shape", "y"));

      assertThat(results.keySet()).containsExactly("shape", "y");
      assertThat(results.get("y").toFloats()).containsExactly(2, 4, 6, 8);
      assertThat(results.get("shape").toLongs()).containsExactly(2, 2);
      assertThat(session.inputs()).containsExactly("x");
      assertThat(session.outputs()).containsExactly("y", "shape");
      assertThat(session.device()).isEqualTo(new Device.Cpu());
    }
  }

  @Test
  void readsDirectBuffersWhereTheyAre() {
    ByteBuffer direct = ByteBuffer.allocateDirect(20);
    direct.position(4).put(TWO_ROWS.bytes()).position(4);

    try (Session session = open(DOUBLING)) {
      Tensor x = new Tensor.Inline(ElementType.FLOAT, TWO_ROWS.dims(), direct);

      assertThat(session.run(Map.of("x", x), List.of("y")).get("y").toFloats())
          .containsExactly(2, 4, 6, 8);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = ElementType.class,
      names = {
        "FLOAT",
        "DOUBLE",
        "FLOAT16",
        "BFLOAT16",
        "INT8",
        "INT16",
        "INT32",
        "INT64",
        "UINT8",
        "BOOL"
      })
  void passesEveryTypeThroughUnchanged(ElementType type) {
    Model identity =
        model(
            "identity (%1$s[T, 3] x) => (%1$s[T, 3] y) { y = Identity (x) }"
                .formatted(type.text()));
    byte[] bytes = new byte[Math.toIntExact(type.bytes(6))];
    for (int i = 0; i < bytes.length; i += type.bits() / 8) {
      bytes[i] = 1;
    }
    Tensor some = new Tensor.Inline(type, List.of(2L, 3L), ByteBuffer.wrap(bytes));
    Tensor none = new Tensor.Inline(type, List.of(0L, 3L), ByteBuffer.allocate(0));

    try (Session session = open(identity)) {
      for (Tensor x : List.of(some, none)) {
        Tensor y = session.run(Map.of("x", x), List.of("y")).get("y");
        assertThat(y.type()).isEqualTo(type);
        assertThat(y.dims()).isEqualTo(x.dims());
        assertThat(y.bytes()).isEqualTo(x.bytes());
      }
    }
  }

  @Test
  void findsExternalDataBesideAFileAndInTheFolderOfAModelInMemory() throws IOException {
    Path file = folder.resolve("doubling.onnx");
    Model big = model("add (float[T] x) => (float[T] y) <float[4096] w> { y = Add (x, w) }");
    OnnxWriter.write(big, file, Placement.EXTERNAL);
    Tensor zero = Tensor.of(List.of(1L), 0f);
    float[] weights = big.graph().constant("w").orElseThrow().toFloats();

    assertThat(folder.resolve("doubling.onnx.data")).exists();
    try (Session fromFile = Session.open(file, RunOptions.cpu());
        Session fromMemory =
            Session.open("memory", OnnxReader.read(file), folder, RunOptions.cpu())) {
      for (Session session : List.of(fromFile, fromMemory)) {
        assertThat(session.run(Map.of("x", zero), List.of("y")).get("y").toFloats())
            .containsExactly(weights);
      }
    }
  }

  @Test
  void runsOnSomeDeviceAndSaysOnceWhyNotOnAGpu() {
    List<String> said = new ArrayList<>();
    RunOptions options = new RunOptions(new Device.Auto(), 1, said::add);

    for (int i = 0; i < 2; i++) {
      try (Session session = open(DOUBLING, options)) {
        assertThat(session.run(Map.of("x", TWO_ROWS), List.of("y"))).containsOnlyKeys("y");
        boolean onCpu = session.device() instanceof Device.Cpu;
        assertThat(said)
            .hasSize(onCpu ? 1 : 0)
            .allMatch(line -> line.startsWith("running on the CPU: "));
      }
    }
  }

  @Test
  void namesWhatIsWrongWithAFeed() {
    try (Session session = open(DOUBLING)) {
      assertFeedsRefused(session, Map.of(), "memory: input 'x' is not fed");
      assertFeedsRefused(
          session, Map.of("x", TWO_ROWS, "z", TWO_ROWS), "memory: no input 'z'; its inputs are x");
      assertFeedsRefused(
          session,
          Map.of("x", Tensor.of(List.of(2L, 2L), 1L, 2, 3, 4)),
          "memory: input 'x' wants float[T, 2], found int64[2, 2]");
      assertFeedsRefused(
          session,
          Map.of("x", Tensor.of(List.of(4L), 1f, 2, 3, 4)),
          "memory: input 'x' wants float[T, 2], found float[4]");
      assertFeedsRefused(
          session,
          Map.of("x", Tensor.of(List.of(1L, 4L), 1f, 2, 3, 4)),
          "memory: input 'x' wants float[T, 2], found float[1, 4]");
    }
  }

  private static void assertFeedsRefused(
      Session session, Map<String, Tensor> feeds, String message) {
    assertThatThrownBy(() -> session.run(feeds, List.of("y")))
        .isInstanceOf(BadInputException.class)
        .hasMessage(message);
  }

  @Test
  void namesTheModelThatTheRuntimeDoesNotTake() throws IOException {
    Path file = Files.writeString(folder.resolve("text.onnx"), "no model");

    assertThatThrownBy(() -> Session.open(file, RunOptions.cpu()))
        .isInstanceOf(RuntimeFailureException.class)
        .hasMessageStartingWith(file + ": ")
        .message()
        .doesNotContain("\n");
  }

  @Test
  void readsConstantsOffTheHeapWhereTheyAre() {
    float[] many = new float[1 << 18];
    many[7] = 3;
    GraphEdit edit = new GraphEdit(model("add (float[T] x) => (float[T] y) { y = Identity (x) }"));
    String constant = edit.constant("w", Tensor.of(List.of((long) many.length), many));
    edit.addOutput(Value.undeclared(new Ops(edit, "made").add("x", constant)));
    Model model = edit.apply();
    InMemory written = OnnxWriter.inMemory(model, folder);
    assertThat(written.apart()).containsOnlyKeys(constant);
    assertThat(written.bytes().remaining()).isLessThan(1000);

    try (Session session = open(model)) {
      String sum = session.outputs().get(1);
      Tensor one = Tensor.of(List.of(1L), 1f);
      float[] made = session.run(Map.of("x", one), List.of(sum)).get(sum).toFloats();
      assertThat(made).hasSize(many.length).startsWith(1, 1, 1, 1, 1, 1, 1, 4, 1);
    }
  }

  private Session open(Model model) {
    return open(model, RunOptions.cpu());
  }

  private Session open(Model model, RunOptions options) {
    return Session.open("memory", model, folder, options);
  }

  private static Model model(String text) {
    return new Model(GraphText.parse(text), 10, Map.of("", 18L), Map.of(), UnknownFields.NONE);
  }
}
