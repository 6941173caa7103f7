package io.moneonnx.profile;

import static io.moneonnx.profile.Statistic.A1;
import static io.moneonnx.profile.Statistic.G1;
import static io.moneonnx.profile.Statistic.N;
import static io.moneonnx.profile.Statistic.PEAK;

import io.moneonnx.profile.Profile.Run;
import io.moneonnx.profile.Profile.Source;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.BiFunction;

/** A profile as tables for people, one row an expert. */
public final class ProfileText {
  private ProfileText() {}

  public static String of(Profile profile) {
    StringBuilder text = new StringBuilder();
    line(text, "model     %s (%,d bytes)", profile.model(), profile.modelBytes());
    List<Run> runs = profile.runs();
    for (int i = 0; i < runs.size(); i++) {
      if (runs.size() > 1) {
        line(text, "");
        line(text, "run       %d of %d", i + 1, runs.size());
      }
      run(text, runs.get(i));
    }
    profile.blocks().forEach(block -> table(text, block));
    return text.toString();
  }

  private static void run(StringBuilder text, Run run) {
    line(text, "tokens    %,d in sequences of %,d", run.tokens(), run.sequenceLength());
    run.sources().forEach(source -> line(text, "source    %s", of(source)));
    line(
        text,
        "made by   mone-onnx %s, ONNX Runtime %s on %s",
        run.toolVersion(),
        run.runtimeVersion(),
        run.device());
    run.notes().forEach((name, note) -> line(text, "%-9s %s", name, note));
  }

  private static String of(Source source) {
    String tag = source.tag().map(name -> name + "=").orElse("");
    String tokens = source.tokens() > 0 ? ", %,d tokens".formatted(source.tokens()) : "";
    return String.format(
        Locale.ROOT, "%s%s (%,d bytes%s)", tag, source.name(), source.bytes(), tokens);
  }

  private static void table(StringBuilder text, BlockStatistics block) {
    BlockHeader header = block.header();
    line(text, "");
    line(
        text,
        "%s: %s, %d experts, top %d, hidden %d, %,d tokens, mean norm %s",
        header.name(),
        header.form(),
        header.owners().size(),
        header.topK(),
        header.hidden(),
        block.tokens(),
        block.calls() == 0 ? "-" : number(block.get(A1).stream().sum() / block.calls()));
    line(
        text,
        "%6s %10s %7s %10s %10s %10s %10s%s",
        "expert",
        "n",
        "calls",
        "mean gate",
        "spread",
        "mean norm",
        "peak",
        perTag(block, (tag, sums) -> "n of " + tag));
    header.owners().forEach(expert -> row(text, block, expert));
  }

  private static void row(StringBuilder text, BlockStatistics block, int expert) {
    long n = block.get(N).count(expert);
    OptionalDouble variance = block.all().variance(expert);
    line(
        text,
        "%6d %,10d %7s %10s %10s %10s %10s%s",
        expert,
        n,
        block.calls() == 0 ? "-" : "%.2f%%".formatted(100.0 * n / block.calls()),
        n == 0 ? "-" : number(block.get(G1, expert) / n),
        variance.isEmpty() ? "-" : number(Math.sqrt(variance.getAsDouble())),
        n == 0 ? "-" : number(block.get(A1, expert) / n),
        n == 0 ? "-" : number(block.get(PEAK, expert)),
        perTag(block, (tag, sums) -> String.format(Locale.ROOT, "%,d", sums.get(N).count(expert))));
  }

  /** A column for each tagged source, as wide as its title. */
  private static String perTag(BlockStatistics block, BiFunction<String, Statistics, String> cell) {
    StringBuilder cells = new StringBuilder();
    block
        .slices()
        .sources()
        .forEach(
            (tag, sums) -> {
              int width = Math.max(10, "n of ".length() + tag.length());
              cells.append(' ').append(("%" + width + "s").formatted(cell.apply(tag, sums)));
            });
    return cells.toString();
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.4g", value);
  }

  private static void line(StringBuilder text, String format, Object... arguments) {
    text.append(String.format(Locale.ROOT, format, arguments)).append('\n');
  }
}
