package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.data.Fixtures;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.PlanFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code --method narrow} on a fused operator, from data to a proved file. */
final class NarrowFusedTest {
  @TempDir private Path folder;

  private Path model() {
    TinyMoe tiny =
        Spelling.FUSED
            .of(8, 2, 8)
            .with("float[T, 8] x)", "int64[B, S] input_ids)")
            .with("<float[8, 8] router,", "<float[50, 8] table, float[8, 8] router,")
            .with("float[8, 9, 8] up,", "float[8, 16, 8] up, float[8, 16] upBias,")
            .with("float[8, 8, 9] down", "float[8, 8, 8] down")
            .with("\"relu\"", "\"swiglu\", swiglu_fusion = 1")
            .with("up, , down)", "up, upBias, down)")
            .with(
                "  logits =",
                """
                  embedded = Gather <axis = 0> (table, input_ids)
                  flat = Reshape (embedded, rows)
                  x = Tanh (flat)
                  logits =\
                """);
    Path file = folder.resolve("fused.onnx");
    OnnxWriter.write(tiny.model(), file, Placement.INLINE);
    return file;
  }

  private Path data() throws IOException {
    ByteBuffer bytes = Tensor.vector(new Random(1).longs(6 * 32, 0, 50).toArray()).bytes();
    byte[] ids = new byte[bytes.remaining()];
    bytes.get(ids);
    return Fixtures.npz(
        folder.resolve("ids.npz"), Map.of("input_ids", Fixtures.npy("<i8", "(6, 32)", ids)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"--uniform", "--atom-width=2"})
  void isMeasuredPlannedWrittenAndProved(String stacks) throws IOException {
    Path model = model();
    Path profile = folder.resolve("fused.profile");
    Path plan = folder.resolve("plan.json");
    Path out = folder.resolve("narrow.onnx");
    Cli calibrated =
        Cli.run("calibrate", model, "--data", data(), "--moments", "-o", profile).succeeds();
    assertThat(calibrated.err()).doesNotContain("no moments of");
    Cli planned =
        Cli.run(
            "plan",
            profile,
            "--method",
            "narrow",
            "--ratio",
            "0.5",
            "--step",
            "2",
            stacks,
            "-o",
            plan);
    boolean isShared = stacks.equals("--uniform");
    assertThat(planned.succeeds().out())
        .contains(
            isShared
                ? "shared   one width for all experts of "
                : "slices of 2 neurons stand for its experts, at most ");
    Cli written = Cli.run("rewrite", model, "--profile", profile, "--plan", plan, "-o", out);

    assertThat(written.succeeds().out()).contains("narrowed", "proof    largest relative error");
    Plan.Block block = PlanFile.read(plan).blocks().get(0);
    List<Integer> widths = block.widths(8);
    assertThat(widths).hasSize(8).allMatch(width -> width % 2 == 0);
    assertThat(widths.stream().mapToInt(Integer::intValue).sum()).isEqualTo(8 * 4);
    assertThat(widths.stream().distinct().count() == 1).isEqualTo(isShared);
    List<Node> nodes = OnnxReader.read(out).graph().nodes();
    assertThat(nodes).filteredOn(node -> node.opType().equals("MoE")).hasSize(1);
    Cli exact = Cli.run("verify", model, out, "--exact", "--plan", plan, "--profile", profile);
    assertThat(exact.succeeds().out()).contains("is what the plan");
    Path jointly = folder.resolve("jointly.onnx");
    Cli refitted =
        Cli.run(
            "rewrite",
            model,
            "--profile",
            profile,
            "--plan",
            plan,
            "--data",
            data(),
            "--refit",
            "-o",
            jointly);
    assertThat(refitted.succeeds().out()).contains("proof    largest relative error");
    assertThat(refitted.err()).contains("what its residual stream lacks falls by");
  }
}
