package io.moneonnx.cli;

import io.moneonnx.eval.TaskScores;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.pipeline.AnswerTasks;
import io.moneonnx.pipeline.MeasurePerplexity;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "eval",
    mixinStandardHelpOptions = true,
    description = "Measures how good a language model is, as it is: with experts or without.",
    footer = {
      "",
      "Perplexity: each token but a text's first is scored once, given those before it in its"
          + " window. 'nats' is the mean of -log p over these tokens, 'error' its standard error over"
          + " windows or sequences ('-' where there is one), 'perplexity' exp(nats); 'right' is the"
          + " part of the tokens that the model ranks first; 'bits/byte' and 'ppl/byte' are the same"
          + " by bytes of the UTF-8 text that was scored ('-' for arrays). A source counts as much"
          + " in the total as it has tokens.",
      "",
      "Windows: a text's last one reaches back to be as long as the others. With --prefix and no"
          + " --stride they are those of lm-evaluation-harness (rolling log-likelihood). With a"
          + " smaller --stride they slide as in Hugging Face's guide to perplexity, which leaves the"
          + " last one shorter and counts the token after a window to its length.",
      "",
      "Tasks: 'acc' is the part of the items of which the right choice is the likeliest, 'acc_norm'"
          + " the same by likelihood per character, '+-' their bootstrap standard error. 'averaged'"
          + " names the figure that the average over tasks counts: acc_norm of arc_challenge,"
          + " arc_easy, openbookqa and piqa, acc of all others. Groups called mmlu_... are one task."
    })
final class EvalCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "An ONNX file, or a folder with one in it.")
  private Path model;

  @Mixin private PerplexityOptions perplexity;
  @Mixin private TaskOptions tasks;

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description = "A Hugging Face tokenizer.json. Without it: the one in the model's directory.")
  private Path tokenizer;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description =
          "At most so many windows or sequences of each source, or items of each file (default: all"
              + " there are).")
  private Integer limit;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description =
          "Windows or sequences in one run of the model (default: 1 for perplexity, 8 for tasks).")
  private Integer batch;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Mixin private RunSettings run;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    requireOne();
    PrintWriter out = spec.commandLine().getOut();
    (tasks.areGiven() ? tasks() : perplexity()).print(json, out);
    return ExitCode.DONE;
  }

  /** One thing is measured at a time, and every option that is given means something for it. */
  private void requireOne() {
    if (perplexity.areGiven() == tasks.areGiven()) {
      throw new BadInputException(
          perplexity.areGiven()
              ? "--perplexity and --tasks: expected one of them at a time"
              : "what to measure is missing: --perplexity SRC... or --tasks FILE...");
    }
    List<String> meaningless = tasks.areGiven() ? perplexity.details() : tasks.details();
    if (!meaningless.isEmpty()) {
      throw new BadInputException(
          "%s: means nothing with %s"
              .formatted(
                  String.join(", ", meaningless), tasks.areGiven() ? "--tasks" : "--perplexity"));
    }
  }

  private Report tasks() throws IOException {
    Terminal terminal = new Terminal();
    AnswerTasks.Request request =
        new AnswerTasks.Request(
            model,
            tasks.files(),
            OptionValues.optional(limit),
            OptionValues.optional(batch),
            Optional.ofNullable(tokenizer),
            tasks.samples());
    AnswerTasks answering = new AnswerTasks(run.options(terminal), terminal);
    TaskScores scores =
        tasks.samples().isPresent()
            ? new AnswersFile(tasks.samples().get()).write(each -> answering.run(request, each))
            : answering.run(request, answer -> {});
    return new TaskReport(scores);
  }

  private Report perplexity() throws IOException {
    Terminal terminal = new Terminal();
    MeasurePerplexity.Result result =
        new MeasurePerplexity(run.options(terminal), terminal)
            .run(
                new MeasurePerplexity.Request(
                    model,
                    perplexity.sources(),
                    perplexity.cut(
                        Optional.ofNullable(tokenizer),
                        OptionValues.optional(limit),
                        OptionValues.optional(batch))));
    return new PerplexityReport(result);
  }
}
