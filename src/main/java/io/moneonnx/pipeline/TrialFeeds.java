package io.moneonnx.pipeline;

import io.moneonnx.data.Calibration;
import io.moneonnx.data.RandomFeeds;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import io.moneonnx.verify.Proof;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The inputs that a rewritten model is tried on.
 *
 * @param proof random ones of several shapes, where they can be made up, and an excerpt of data
 * @param drift excerpts of data, or random inputs where there are none
 * @param driftOn which of both, for people
 */
record TrialFeeds(
    List<Map<String, Tensor>> proof, List<Map<String, Tensor>> drift, String driftOn) {
  private static final int PROOF_BATCHES = 1;
  private static final int DRIFT_BATCHES = 8;
  private static final int TRIED_TOKENS = 256;
  private static final long SEED = 2507_00390;

  /**
   * Inputs for a model.
   *
   * @param otherwise what the user can do where there are none, for the message
   * @throws BadInputException if there are no data, and no valid input can be made up
   */
  static TrialFeeds of(LoadedModel subject, Optional<Calibration> data, String otherwise) {
    List<Map<String, Tensor>> excerpts =
        data.stream().flatMap(d -> d.excerpts(TRIED_TOKENS)).limit(DRIFT_BATCHES).toList();
    List<Map<String, Tensor>> random = random(subject, excerpts);
    if (random.isEmpty() && excerpts.isEmpty()) {
      throw new BadInputException(
          "the rewritten model cannot be proved: no valid input can be made up for %s; %s"
              .formatted(subject.file(), otherwise));
    }
    List<Map<String, Tensor>> proof = new ArrayList<>(random);
    proof.addAll(excerpts.subList(0, Math.min(PROOF_BATCHES, excerpts.size())));
    return excerpts.isEmpty()
        ? new TrialFeeds(proof, random, "random inputs")
        : new TrialFeeds(proof, excerpts, "calibration data");
  }

  /**
   * Random inputs for the proof of a model that is rewritten with another.
   *
   * @param seen what the other one is fed
   * @throws BadInputException if no valid input can be made up
   */
  static List<Map<String, Tensor>> alike(LoadedModel subject, List<Map<String, Tensor>> seen) {
    List<Map<String, Tensor>> feeds = random(subject, seen);
    if (feeds.isEmpty()) {
      throw new BadInputException(
          "%s: no valid input can be made up to prove it; say --no-verify"
              .formatted(subject.file()));
    }
    return feeds;
  }

  private static List<Map<String, Tensor>> random(
      LoadedModel subject, List<Map<String, Tensor>> seen) {
    return RandomFeeds.of(subject.model().graph(), seen).stream()
        .flatMap(
            feeds ->
                Stream.of(
                    feeds.make(1, 1, SEED),
                    feeds.make(1, Proof.tokens(subject.blocks()), SEED + 1),
                    feeds.make(2, 7, SEED + 2)))
        .toList();
  }
}
