package io.moneonnx.eval;

import io.moneonnx.data.ChoiceItem;
import io.moneonnx.data.PairEncoder;
import io.moneonnx.data.TokenPair;
import io.moneonnx.graph.BadInputException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Has a model choose: zero-shot multiple choice, scored as lm-evaluation-harness does (<a
 * href="https://github.com/EleutherAI/lm-evaluation-harness/blob/main/lm_eval/api/task.py">api/task.py</a>).
 */
public final class MultipleChoice {
  /** Items that are in memory at a time, sorted by length and proved on their extremes. */
  private static final int TOGETHER = 256;

  private final PairEncoder encoder;
  private final Likelihoods likelihoods;

  public MultipleChoice(PairEncoder encoder, Likelihoods likelihoods) {
    this.encoder = encoder;
    this.likelihoods = likelihoods;
  }

  /**
   * Answers items, in their order.
   *
   * @throws BadInputException if an item cannot be scored; it says which and why
   */
  public void answer(Iterator<ChoiceItem> items, Consumer<Answer> answers) {
    List<ChoiceItem> some = new ArrayList<>();
    while (items.hasNext()) {
      some.add(items.next());
      if (some.size() == TOGETHER || !items.hasNext()) {
        answer(some).forEach(answers);
        some.clear();
      }
    }
  }

  private List<Answer> answer(List<ChoiceItem> items) {
    List<List<TokenPair>> pairs = items.stream().map(this::pairs).toList();
    Map<TokenPair, Double> found = likelihoods.of(pairs);
    return IntStream.range(0, items.size())
        .mapToObj(i -> answer(items.get(i), pairs.get(i).stream().map(found::get).toList()))
        .toList();
  }

  private List<TokenPair> pairs(ChoiceItem item) {
    return IntStream.range(0, item.choices().size())
        .mapToObj(choice -> encoder.encode(item, choice))
        .toList();
  }

  private static Answer answer(ChoiceItem item, List<Double> likelihoods) {
    int undefined =
        IntStream.range(0, likelihoods.size())
            .filter(choice -> !Double.isFinite(likelihoods.get(choice)))
            .findFirst()
            .orElse(-1);
    if (undefined >= 0) {
      throw new BadInputException(
          "%s: choice %d: its log-likelihood is not finite: the model outputs NaN or infinity"
              .formatted(item.place(), undefined));
    }
    return new Answer(item, likelihoods);
  }
}
