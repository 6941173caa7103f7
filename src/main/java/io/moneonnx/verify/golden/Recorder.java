package io.moneonnx.verify.golden;

import io.moneonnx.data.Batch;
import io.moneonnx.graph.Tensor;
import io.moneonnx.verify.golden.WatchedModel.Seen;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** Records what a model puts out, run by run. */
public final class Recorder {
  private final WatchedModel model;
  private final Optional<String> tokens;
  private final List<Golden.Output> outputs;
  private final List<Golden.Router> routers;
  private final List<BitSet> everChosen = new ArrayList<>();
  private final List<Golden.Run> runs = new ArrayList<>();

  /**
   * Of a model that is open.
   *
   * @param tokens the input that has an axis of sequences and one of positions, if there is one
   */
  public Recorder(WatchedModel model, Optional<String> tokens) {
    this.model = model;
    this.tokens = tokens;
    this.outputs = model.outputs();
    this.routers = model.routers();
    routers.forEach(router -> everChosen.add(new BitSet(router.experts())));
  }

  /** Runs the model once. */
  public void add(Batch fed) {
    Optional<TokenGrid> grid = TokenGrid.of(fed, tokens);
    Seen seen = model.run(fed);
    List<Sketch> sketches = new ArrayList<>();
    outputs.forEach(output -> sketches.add(sketch(seen.values().get(output.name()), grid)));
    List<int[]> choices = new ArrayList<>();
    for (int router = 0; router < routers.size(); router++) {
      choices.add(choices(seen.choices().get(router), grid, everChosen.get(router)));
    }
    runs.add(new Golden.Run(fed, sketches, choices));
  }

  private static Sketch sketch(Tensor output, Optional<TokenGrid> grid) {
    return output.type().isFloating()
        ? new Sketch.Floating(
            output.type(),
            output.dims(),
            new RowReader(output, OutputRows.of(output.dims(), grid)).all())
        : Sketch.Exact.of(output);
  }

  private static int[] choices(ExpertChoices router, Optional<TokenGrid> grid, BitSet everChosen) {
    int tokens = grid.map(TokenGrid::tokens).orElse(0);
    if (!router.isOf(tokens)) {
      return new int[0];
    }
    IntStream.range(0, tokens)
        .filter(grid.orElseThrow()::isShown)
        .flatMap(token -> Arrays.stream(router.chosen(token)).mapToInt(id -> (int) id))
        .forEach(everChosen::set);
    return IntStream.range(0, tokens).map(router::hash).toArray();
  }

  /** By router the experts that no position chose; routers that were not recorded are left out. */
  public Map<String, List<Integer>> neverChosen() {
    Map<String, List<Integer>> never = new LinkedHashMap<>();
    for (int router = 0; router < routers.size(); router++) {
      BitSet chosen = everChosen.get(router);
      List<Integer> missing =
          IntStream.range(0, routers.get(router).experts())
              .filter(expert -> !chosen.get(expert))
              .boxed()
              .toList();
      if (!chosen.isEmpty() && !missing.isEmpty()) {
        never.put(routers.get(router).name(), missing);
      }
    }
    return never;
  }

  /** Routers whose choices are recorded at every position. */
  public long watched() {
    return everChosen.stream().filter(chosen -> !chosen.isEmpty()).count();
  }

  /** All that was recorded. */
  public Golden golden(Map<String, String> origin) {
    return new Golden(origin, tokens, outputs, routers, runs);
  }
}
