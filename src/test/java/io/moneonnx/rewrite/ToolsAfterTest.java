package io.moneonnx.rewrite;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Target;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What ONNX Runtime makes of a rewritten model and saves computes the same. */
final class ToolsAfterTest {
  private static final int TOKENS = 12;
  private static final int HIDDEN = 4;

  @TempDir Path folder;

  private Path pruned(TinyMoe tiny) {
    Model model = tiny.model();
    Canonical canonical = Canonical.of(model);
    List<MoeBlock> blocks = new MoeFinder(Forms.all(Target.CPU)).find(canonical.graph()).blocks();
    TreeMap<Integer, float[]> novices = new TreeMap<>();
    novices.put(1, new float[] {0.25f, 0.5f, -1, 2});
    novices.put(3, new float[] {-0.1f, 0.2f, 0.3f, 0.4f});
    Path file = folder.resolve("pruned.onnx");
    Map<String, Change> changes = Map.of(blocks.get(0).name(), Replacement.byNovices(novices));
    OnnxWriter.write(Rewriter.rewrite(canonical, blocks, changes), file, Placement.INLINE);
    return file;
  }

  private static float[] outputs(Path file, SessionOptions options, Tensor x) throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (options;
        OrtSession session = environment.createSession(file.toString(), options);
        OnnxTensor tokens =
            OnnxTensor.createTensor(
                environment, FloatBuffer.wrap(x.toFloats()), new long[] {TOKENS, HIDDEN});
        OrtSession.Result result = session.run(Map.of("x", tokens))) {
      FloatBuffer found = ((OnnxTensor) result.get(0)).getFloatBuffer();
      float[] values = new float[found.remaining()];
      found.get(values);
      return values;
    }
  }

  private void isTheSame(Spelling spelling, String name, SessionOptions saving)
      throws OrtException {
    TinyMoe tiny = spelling.of(4, 2, HIDDEN);
    Tensor x = tiny.tokens(TOKENS, 1);
    Path saved = folder.resolve(name);
    saving.setOptimizedModelFilePath(saved.toString());
    saving.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
    float[] expected = outputs(pruned(tiny), saving, x);

    assertThat(Files.exists(saved)).isTrue();
    assertThat(outputs(saved, new SessionOptions(), x)).contains(expected, Offset.offset(1e-6f));
  }

  @ParameterizedTest
  @EnumSource
  void asTheOptimizerSavesIt(Spelling spelling) throws OrtException {
    for (OptLevel level : List.of(OptLevel.BASIC_OPT, OptLevel.EXTENDED_OPT, OptLevel.ALL_OPT)) {
      SessionOptions saving = new SessionOptions();
      saving.setOptimizationLevel(level);
      isTheSame(spelling, level + ".onnx", saving);
    }
  }

  @ParameterizedTest
  @EnumSource
  void inItsOwnFormat(Spelling spelling) throws OrtException {
    SessionOptions saving = new SessionOptions();
    saving.addConfigEntry("session.save_model_format", "ORT");
    isTheSame(spelling, "pruned.ort", saving);
  }
}
