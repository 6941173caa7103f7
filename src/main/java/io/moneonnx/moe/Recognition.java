package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.match.MatchFailure;
import io.moneonnx.match.Matcher;
import io.moneonnx.match.Pattern;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** What a form says of a routing decision. */
public sealed interface Recognition {
  /**
   * This form lays the block out, and all of it was found.
   *
   * @param warnings what the user should know of it, a sentence each
   */
  record Recognised(Claim claim, List<String> warnings) implements Recognition {
    public Recognised {
      warnings = List.copyOf(warnings);
    }

    public Recognised(Claim claim) {
      this(claim, List.of());
    }
  }

  /** Another form, or no MoE block at all. {@code nearest} is the closest this form came. */
  record NotThisForm(String nearest) implements Recognition {}

  /** This form, but not proved complete. */
  record Refused(String reason) implements Recognition {}

  /** Refused for this objection, if there is one. */
  static Recognition unless(Optional<String> objection, Supplier<Recognition> otherwise) {
    return objection.<Recognition>map(Refused::new).orElseGet(otherwise);
  }

  /**
   * Another form: none of the patterns matches behind the choice. Says how far the nearest came, or
   * {@code otherwise}.
   */
  static Recognition miss(Graph graph, List<Pattern> patterns, Routing routing, String otherwise) {
    return new NotThisForm(
        Matcher.nearest(graph, patterns, "experts", routing.choice().value())
            .map(MatchFailure::message)
            .orElse(otherwise));
  }
}
