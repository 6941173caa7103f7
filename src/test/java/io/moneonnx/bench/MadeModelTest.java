package io.moneonnx.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Target;
import io.moneonnx.observe.Calibrator;
import io.moneonnx.pipeline.LoadedModel;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;

final class MadeModelTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void isFoundAndProvedInEachForm(BlockText text) {
    String form = text.name().toLowerCase(Locale.ROOT).replace('_', '-');
    Path file = folder.resolve("made.onnx");
    String sizes = "--experts 6 --top-k 2 --hidden 32 --inner 48";

    assertThat(
            new CommandLine(new MadeModel()).execute((form + " " + file + " " + sizes).split(" ")))
        .isZero();

    LoadedModel subject = LoadedModel.open(file, Target.CPU);
    Model model = OnnxReader.read(file);
    Calibrator calibrator =
        new Calibrator(
            Canonical.of(model).model(), folder, subject.requireBlocks(), RunOptions.cpu());
    Tensor tokens = Tensor.of(List.of(1L, 40L), LongStream.range(0, 40).toArray());
    assertThat(calibrator.run(List.of(Map.of("input_ids", tokens))).disproved()).isEmpty();
    assertThat(subject.blocks()).extracting(MoeBlock::form).containsExactly(form, form);
  }
}
