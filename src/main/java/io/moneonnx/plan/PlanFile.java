package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Nearest;
import io.moneonnx.graph.Reason;
import io.moneonnx.graph.WholeFile;
import io.moneonnx.io.Draft;
import io.moneonnx.json.JsonReading;
import io.moneonnx.json.JsonText;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Plans as JSON that a person can read, edit and pass back.
 *
 * <pre>{@code
 * {
 *   "model": "sha256:0123456789abcdef0123456789abcdef",
 *   "profile": "sha256:fedcba9876543210fedcba9876543210",
 *   "criterion": "mone",
 *   "novice": "mean",
 *   "router": "keep",
 *   "budget": "ratio 0.25, scope layer",
 *   "ratio": 0.25,
 *   "blocks": [
 *     {
 *       "name": "/layers.0/mlp",
 *       "experts": 16,
 *       "pruned": [6, 8, 9, 10]
 *     }
 *   ]
 * }
 * }</pre>
 *
 * A block may hold {@code narrowed} too, experts that lose neurons: {@code {"expert": 3, "width":
 * 2, "kept": [0, 5]}}, where {@code kept} may be left out: then the neurons are chosen that matter
 * most.
 *
 * <p>{@code "requantize": true} has down projections that are quantised re-fitted and quantised
 * again.
 *
 * <p>Only {@code model}, {@code router} and {@code blocks} must be there. The others say where the
 * plan came from, and {@code note} what else to know of it; it is not read.
 */
public final class PlanFile {
  /** A plan as it is written. */
  private record Document(
      String model,
      Optional<String> profile,
      Optional<String> criterion,
      Optional<Novice> novice,
      Plan.Router router,
      Optional<String> budget,
      Optional<BigDecimal> ratio,
      Optional<Boolean> requantize,
      Optional<String> note,
      List<Plan.Block> blocks) {
    static Document of(Plan plan) {
      return new Document(
          plan.model(),
          plan.profile(),
          plan.criterion(),
          plan.novice(),
          plan.router(),
          plan.budget(),
          plan.ratio(),
          plan.requantize(),
          plan.note(),
          plan.blocks());
    }

    Plan plan() {
      return new Plan(model, profile, criterion, novice, router, budget, ratio, requantize, blocks);
    }
  }

  private PlanFile() {}

  /** Writes a plan, or nothing; a present file is replaced. */
  public static void write(Plan plan, Path file) {
    Draft.write(file, path -> Files.writeString(path, print(plan)));
  }

  /**
   * Reads a plan.
   *
   * @throws BadInputException if the file is no plan; names file, block and key, or line and column
   */
  public static Plan read(Path file) {
    if (Files.isDirectory(file)) {
      throw new BadInputException(file + ": is a folder, expected a plan");
    } else if (!Files.exists(file)) {
      throw new BadInputException(file + ": " + Nearest.missing(file));
    }
    try {
      return parse(WholeFile.text(file));
    } catch (CharacterCodingException e) {
      throw new BadInputException(file + ": is no text in UTF-8", e);
    } catch (IOException e) {
      throw new BadInputException(file + ": cannot be read: " + Reason.of(e), e);
    } catch (BadInputException e) {
      throw new BadInputException(file + ": " + e.getMessage(), e);
    }
  }

  static String print(Plan plan) {
    return JsonText.indented(Document.of(plan));
  }

  static Plan parse(String text) {
    return JsonReading.read("plan", text, Document.class).plan();
  }
}
