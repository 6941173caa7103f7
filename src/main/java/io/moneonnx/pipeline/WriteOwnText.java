package io.moneonnx.pipeline;

import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataFile;
import io.moneonnx.data.DataSource;
import io.moneonnx.data.ModelFolder;
import io.moneonnx.data.ModelInputs;
import io.moneonnx.data.OwnText;
import io.moneonnx.eval.TextSampler;
import io.moneonnx.run.RunOptions;
import java.util.List;

/** Lets a model write the text that it is calibrated on. */
final class WriteOwnText {
  /** Where a profile says how much of its data is such text. */
  static final String NOTE = "own text";

  private final LoadedModel subject;
  private final RunOptions options;
  private final Console console;

  WriteOwnText(LoadedModel subject, RunOptions options, Console console) {
    this.subject = subject;
    this.options = options;
    this.console = console;
  }

  /** What there is of it, for profiles and models. */
  static String text(List<DataFile> own) {
    long tokens = own.stream().mapToLong(DataFile::tokens).sum();
    return "%,d tokens that the model wrote itself, at temperature 1".formatted(tokens);
  }

  /**
   * As much as a source asks for; the same whenever it is asked for.
   *
   * @param source one that {@link DataSource#isOwn}
   * @throws io.moneonnx.graph.BadInputException if the model is no language model, or how a text
   *     begins is not known
   */
  OwnText of(DataSource source, CalibrationOptions reading) {
    ModelInputs inputs = ModelInputs.of(subject.model().graph());
    OwnText.Request wanted =
        OwnText.Request.of(source, inputs, new ModelFolder(subject.folder()), reading);
    long tokens = (long) wanted.windows() * wanted.length();
    String what = "writing %,d tokens of its own text".formatted(tokens);
    try (TextSampler sampler =
            TextSampler.open(
                subject.model(),
                subject.folder(),
                new LanguageModel(subject.read()).requireNextToken(),
                options);
        Console.Progress progress = console.begin(what, tokens - wanted.windows())) {
      OwnText text = new OwnText(source.tag(), sampler.sample(wanted, progress::step));
      console.say(
          "calibration data: text that the model wrote itself: %d sequences of %d tokens from token %d on, at temperature 1"
              .formatted(wanted.windows(), wanted.length(), wanted.first()));
      return text;
    }
  }
}
