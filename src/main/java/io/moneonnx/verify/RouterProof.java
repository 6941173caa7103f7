package io.moneonnx.verify;

import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.rewrite.Removal;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Compares routers that were cut one by one, on the input that each has in runs of the original.
 */
final class RouterProof {
  private final ProofRuns bench;
  private final Path writtenFolder;
  private final Map<RouterCheck, List<BlockCut>> cuts = new LinkedHashMap<>();
  private final Set<String> taps = new LinkedHashSet<>();

  RouterProof(ProofRuns bench, Path writtenFolder) {
    this.bench = bench;
    this.writtenFolder = writtenFolder;
  }

  /** Adds a router. */
  void add(MoeBlock block, Removal removal, Model written) {
    RouterCheck check = new RouterCheck(block, removal.ids());
    List<BlockCut> compared =
        check.compared().stream()
            .map(value -> bench.cut(written, List.of(block.routing().input()), value, Set.of()))
            .toList();
    cuts.put(check, compared);
    taps.add(block.routing().choice().scores());
    taps.addAll(check.compared());
    compared.forEach(cut -> taps.addAll(cut.inputs()));
  }

  /** What came out, a check for each router. */
  List<RouterCheck> checks(List<Map<String, Tensor>> feeds) {
    List<Map<String, Tensor>> runs = cuts.isEmpty() ? List.of() : bench.values(taps, feeds);
    cuts.forEach(
        (check, compared) -> {
          List<Map<String, Tensor>> found = found(compared, runs);
          for (int i = 0; i < found.size(); i++) {
            check.add(runs.get(i), found.get(i));
          }
        });
    return List.copyOf(cuts.keySet());
  }

  private List<Map<String, Tensor>> found(List<BlockCut> compared, List<Map<String, Tensor>> runs) {
    List<Map<String, Tensor>> found = new ArrayList<>();
    runs.forEach(values -> found.add(new HashMap<>()));
    for (BlockCut cut : compared) {
      Map<String, Tensor> any = runs.get(0);
      Value declared = Value.untyped(cut.output(), any.get(cut.output()).type());
      try (Session session = bench.open(cut, any, declared, writtenFolder)) {
        for (int i = 0; i < runs.size(); i++) {
          found.get(i).put(cut.output(), ProofRuns.run(session, cut, runs.get(i)));
        }
      }
    }
    return found;
  }
}
