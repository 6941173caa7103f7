package io.moneonnx.cli;

import io.moneonnx.json.Fields;
import io.moneonnx.plan.CalibrationGaps;
import io.moneonnx.plan.DamageForecast;
import io.moneonnx.plan.Forecast;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.KeptEnergy;
import io.moneonnx.plan.Margins;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.PlannedAtoms;
import io.moneonnx.plan.Stability;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.NeuronOrders.Widths;
import io.moneonnx.profile.Profile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SortedSet;
import java.util.TreeSet;

/** What a plan does and what it costs. */
final class PlanReport {
  private final Profile profile;
  private final Goal goal;
  private final Plan plan;
  private final Forecast forecast;
  private final Optional<Stability> stability;

  PlanReport(Profile profile, Goal goal, Plan plan) {
    this.profile = profile;
    this.goal = goal;
    this.plan = plan;
    this.forecast = Forecast.of(profile, plan, goal.novice());
    this.stability = Stability.of(profile, goal);
  }

  /**
   * What a plan does and what it costs, for programs. Parts and errors are fractions, sizes bytes;
   * what is not known is null:
   *
   * <pre>{@code
   * {"file", "criterion", "budget", "router", "novice", "calls", "bytes", "shards",
   *  "blocks": [{"name", "experts", "pruned": [], "calls", "error", "margin", "unstable": []}]}
   * }</pre>
   */
  Fields json(Path file) {
    List<OptionalDouble> margins = Margins.of(profile, goal, plan).blocks();
    List<Fields> blocks = new ArrayList<>();
    for (int i = 0; i < plan.blocks().size(); i++) {
      int block = i;
      Fields fields = new Fields();
      blocks.add(
          fields
              .with("name", plan.blocks().get(i).name())
              .with("experts", plan.blocks().get(i).experts())
              .with("pruned", plan.blocks().get(i).pruned())
              .with("calls", forecast.blocks().get(i).share())
              .with("error", forecast.blocks().get(i).error())
              .with("margin", margins.get(i))
              .with("unstable", stability.map(known -> known.unstable().get(block))));
      if (isNarrow()) {
        WidthTable.of(profile, plan.blocks().get(i)).addTo(fields);
      }
    }
    return new Fields()
        .with("file", file)
        .with("criterion", goal.ranking())
        .with("budget", goal.budget())
        .with("router", plan.router())
        .with("novice", plan.novice())
        .with("calls", forecast.share())
        .with("bytes", forecast.bytes())
        .with("shards", stability.map(Stability::shards))
        .with("blocks", blocks);
  }

  /** A line a block, and what else to know. */
  String text() {
    return table() + notes() + gaps();
  }

  /** A row's cells of a table of several plans. */
  Object[] summary() {
    if (isNarrow()) {
      return new Object[] {
        pruned(),
        plan.blocks().stream().mapToInt(block -> block.narrowed().map(List::size).orElse(0)).sum(),
        percent(forecast.share()),
        forecast.worst().map(worst -> percent(worst.error().getAsDouble())).orElse("-"),
        "%,d".formatted(forecast.bytes())
      };
    }
    return new Object[] {
      pruned(),
      percent(forecast.share()),
      forecast.worst().map(worst -> percent(worst.error().getAsDouble())).orElse("-"),
      stability.map(known -> Integer.toString(known.count())).orElse("-"),
      "%,d".formatted(forecast.bytes())
    };
  }

  Object[] head() {
    if (isNarrow()) {
      return new Object[] {"removed", "narrowed", "calls", "error", "bytes"};
    }
    return new Object[] {"pruned", "calls", "error", "unstable", "bytes"};
  }

  private boolean isNarrow() {
    return goal.narrow().isPresent();
  }

  private Table widths() {
    List<Object> head = new ArrayList<>(List.of(WidthTable.head()));
    head.addAll(List.of("calls", "error"));
    Table table = new Table(head.toArray());
    for (int i = 0; i < plan.blocks().size(); i++) {
      List<Object> cells = WidthTable.of(profile, plan.blocks().get(i)).cells();
      cells.add(percent(forecast.blocks().get(i).share()));
      cells.add(percent(forecast.blocks().get(i).error()));
      table.row(cells.toArray());
    }
    return table;
  }

  private Table table() {
    if (isNarrow()) {
      return widths();
    }
    Table table = new Table("block", "experts", "pruned", "calls", "error", "margin", "which");
    List<OptionalDouble> margins = Margins.of(profile, goal, plan).blocks();
    for (int i = 0; i < plan.blocks().size(); i++) {
      Plan.Block block = plan.blocks().get(i);
      Forecast.Block cost = forecast.blocks().get(i);
      table.row(
          block.name(),
          profile.block(block.name()).orElseThrow().header().owners().size(),
          block.pruned().size(),
          percent(cost.share()),
          percent(cost.error()),
          percent(margins.get(i)),
          which(block, unstable(i)));
    }
    return table;
  }

  private SortedSet<Integer> unstable(int block) {
    return stability.map(known -> known.unstable().get(block)).orElse(new TreeSet<>());
  }

  private static String which(Plan.Block block, SortedSet<Integer> unstable) {
    SortedSet<Integer> sure = new TreeSet<>(block.pruned());
    sure.removeAll(unstable);
    SortedSet<Integer> doubtful = new TreeSet<>(block.pruned());
    doubtful.retainAll(unstable);
    SortedSet<Integer> spared = new TreeSet<>(unstable);
    spared.removeAll(doubtful);
    String text = ExpertList.of(sure);
    text += doubtful.isEmpty() ? "" : " unsure " + ExpertList.of(doubtful);
    text += spared.isEmpty() ? "" : " or " + ExpertList.of(spared);
    return text.strip();
  }

  private String notes() {
    StringBuilder text = new StringBuilder();
    line(
        text,
        "plan",
        "%s%s; %s: %d of %d experts",
        goal.ranking().map(criterion -> criterion + ", ").orElse(""),
        goal.budget(),
        isCut() ? "router cut" : "novice " + goal.novice() + ", router keep",
        pruned(),
        plan.blocks().stream().mapToInt(Plan.Block::experts).sum());
    line(
        text,
        "calls",
        isCut()
            ? "%s of the routed calls go to other experts"
            : "%s of the routed calls meet a novice",
        percent(forecast.share()));
    if (isCut()) {
      line(text, "error", "not predicted: a cut router chooses other experts instead");
    } else {
      forecast.worst().ifPresent(worst -> line(text, "error", "largest in %s", worst.name()));
    }
    if (isNarrow()) {
      line(text, "experts", "%,d -> %,d bytes of neurons", neurons(false), neurons(true));
      profile.blocks().stream()
          .filter(block -> block.orders().isEmpty())
          .forEach(
              block -> line(text, "whole", "%s: its experts cannot be narrowed", block.name()));
      sharing()
          .ifPresent(blocks -> line(text, "shared", "one width for all experts of %s", blocks));
      profile.blocks().forEach(block -> atoms(block).ifPresent(atoms -> line(text, block, atoms)));
      tags(text, new KeptEnergy(profile, goal.novice()));
      damage(text, DamageForecast.of(profile, goal));
    } else {
      line(text, "unstable", "%s", stability());
    }
    line(text, "size", "at most %,d bytes, of %,d", forecast.bytes(), profile.modelBytes());
    plan.note().ifPresent(note -> line(text, "note", "%s", note));
    return text.toString();
  }

  private static void line(StringBuilder text, BlockStatistics block, PlannedAtoms atoms) {
    line(
        text,
        "atoms",
        "%s: %d slices of %d neurons stand for its experts, at most %d for one",
        block.name(),
        atoms.count(),
        atoms.width(),
        atoms.most());
  }

  private Optional<PlannedAtoms> atoms(BlockStatistics block) {
    return plan.block(block.name()).flatMap(planned -> PlannedAtoms.of(planned, block));
  }

  /** Blocks whose experts share a width: one that is protected holds all of them. */
  private Optional<String> sharing() {
    return profile.blocks().stream()
        .filter(block -> block.orders().filter(orders -> orders.widths() != Widths.OWN).isPresent())
        .filter(block -> atoms(block).isEmpty())
        .map(BlockStatistics::name)
        .reduce((some, other) -> some + ", " + other);
  }

  /** Bytes of all neurons that can be removed, or of those that stay. */
  private long neurons(boolean isPlanned) {
    return profile.blocks().stream()
        .filter(block -> block.orders().isPresent())
        .mapToLong(
            block ->
                block.orders().get().neuronBytes()
                    * (isPlanned
                        ? WidthTable.of(profile, plan.block(block.name()).orElseThrow()).neurons()
                        : (long) block.experts() * block.header().inner()))
        .sum();
  }

  /** What data of each tag keep of what experts put out. */
  private void tags(StringBuilder text, KeptEnergy kept) {
    StringBuilder tags = new StringBuilder();
    kept.byTag(plan.blocks())
        .forEach((tag, part) -> tags.append("  ").append(tag).append(' ').append(percent(part)));
    if (!tags.isEmpty()) {
      String all = percent(kept.of(Optional.empty(), plan.blocks()));
      line(text, "tags", "predicted to keep of what experts put out:%s  all %s", tags, all);
    }
  }

  private static void damage(StringBuilder text, DamageForecast forecast) {
    StringBuilder curve = new StringBuilder();
    forecast
        .damage()
        .forEach(
            (percent, damage) ->
                curve.append(String.format(Locale.ROOT, "  %d%% %.3g", percent, damage)));
    line(text, "damage", "predicted, by how much of the experts goes:%s", curve);
    forecast
        .knee()
        .ifPresent(
            percent -> line(text, "knee", "at %d%%: beyond it damage grows faster", percent));
  }

  private boolean isCut() {
    return goal.router() == Plan.Router.CUT;
  }

  private String stability() {
    return stability
        .map(
            known ->
                ("%s when one of %d shards of the data is left out"
                        + " (spreads pooled within shards: an approximation)")
                    .formatted(
                        known.count() == 1 ? "1 decision flips" : known.count() + " decisions flip",
                        known.shards()))
        .orElse("not known: fewer than two shards hold data");
  }

  private String gaps() {
    CalibrationGaps gaps = CalibrationGaps.of(profile);
    StringBuilder text = new StringBuilder();
    gaps.neverChosen()
        .forEach(
            unseen ->
                line(
                    text,
                    "never",
                    "%s: no token chose %s",
                    unseen.block(),
                    ExpertList.of(unseen.experts())));
    gaps.starved()
        .forEach(
            starved ->
                line(
                    text,
                    "starved",
                    "%s: %.1f calls an expert are too few to tell experts apart",
                    starved.block(),
                    starved.calls()));
    gaps.holes()
        .forEach(
            hole ->
                line(
                    text,
                    "hole",
                    "%s: no token of '%s' chose %s",
                    hole.block(),
                    hole.source(),
                    ExpertList.of(hole.experts())));
    return text.toString();
  }

  private int pruned() {
    return plan.blocks().stream().mapToInt(block -> block.pruned().size()).sum();
  }

  private static String percent(OptionalDouble value) {
    return value.isPresent() ? percent(value.getAsDouble()) : "-";
  }

  static String percent(double value) {
    return String.format(Locale.ROOT, "%.1f%%", 100 * value);
  }

  private static void line(StringBuilder text, String what, String format, Object... arguments) {
    text.append("%-9s".formatted(what))
        .append(String.format(Locale.ROOT, format, arguments))
        .append('\n');
  }
}
