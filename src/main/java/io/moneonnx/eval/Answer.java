package io.moneonnx.eval;

import io.moneonnx.data.ChoiceItem;
import java.util.List;
import java.util.function.IntToDoubleFunction;

/**
 * What a model chooses of an item.
 *
 * @param logLikelihoods of each choice after its context, in nats
 */
public record Answer(ChoiceItem item, List<Double> logLikelihoods) {
  public Answer {
    logLikelihoods = List.copyOf(logLikelihoods);
  }

  /** The likeliest choice; the first of those that are alike. */
  public int chosen() {
    return best(logLikelihoods::get);
  }

  /** The choice that is likeliest for its length: nats per character; the first of those alike. */
  public int chosenByLength() {
    return best(choice -> logLikelihoods.get(choice) / item.length(choice));
  }

  private int best(IntToDoubleFunction score) {
    int best = 0;
    for (int choice = 1; choice < logLikelihoods.size(); choice++) {
      if (score.applyAsDouble(choice) > score.applyAsDouble(best)) {
        best = choice;
      }
    }
    return best;
  }

  /** What {@code acc} counts. */
  public boolean isRight() {
    return chosen() == item.label();
  }

  /** What {@code acc_norm} counts. */
  public boolean isRightByLength() {
    return chosenByLength() == item.label();
  }
}
