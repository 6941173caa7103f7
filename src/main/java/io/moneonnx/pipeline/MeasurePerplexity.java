package io.moneonnx.pipeline;

import io.moneonnx.data.DataSource;
import io.moneonnx.data.ModelFolder;
import io.moneonnx.data.PassageOptions;
import io.moneonnx.data.Passages;
import io.moneonnx.eval.NextToken;
import io.moneonnx.eval.Perplexity;
import io.moneonnx.eval.PerplexityBySource;
import io.moneonnx.eval.TokenLossModel;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Measures the perplexity of a language model as it is, with or without experts. */
public final class MeasurePerplexity {
  private final RunOptions options;
  private final Console console;

  public MeasurePerplexity(RunOptions options, Console console) {
    this.options = options;
    this.console = console;
  }

  /**
   * What to measure.
   *
   * @param model a file, or a folder with a model in it
   * @param data at least one source
   */
  public record Request(Path model, List<DataSource> data, PassageOptions cut) {
    public Request {
      data = List.copyOf(data);
    }
  }

  /**
   * What was found.
   *
   * @param sources by tag or file, in the order given
   * @param total over all tokens of all sources
   * @param length tokens in a window of text
   * @param stride tokens from the beginning of one window to that of the next
   */
  public record Result(Map<String, Perplexity> sources, Perplexity total, int length, int stride) {}

  /**
   * Reads the data once, piece by piece.
   *
   * @throws io.moneonnx.graph.BadInputException if the model foresees no tokens, or the data do not
   *     suit it or hold nothing to foresee
   */
  public Result run(Request request) {
    ReadModel read = ReadModel.open(request.model());
    NextToken nextToken = new LanguageModel(read).requireNextToken();
    Passages passages =
        Passages.open(
            request.data(), new ModelFolder(read.folder()), read.model().graph(), request.cut());
    try (TokenLossModel foresight =
        TokenLossModel.open(read.model(), read.folder(), nextToken, options)) {
      PerplexityBySource count = new PerplexityBySource(foresight);
      console.say("evaluating perplexity");
      passages.forEach(count, console::say);
      return new Result(count.sources(), count.total(), passages.length(), passages.stride());
    } catch (RuntimeFailureException e) {
      read.requireLoads(options);
      throw e;
    }
  }
}
