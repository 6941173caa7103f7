package io.moneonnx.moe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What multiplies the output of each chosen expert in a block's routed output. */
public sealed interface RoutingWeights {
  /** The value of the graph that they are read from, a part of the block's border. */
  String value();

  /**
   * The routing weights of the chosen experts, {@code [tokens, topK]}.
   *
   * @param indices the ids of the chosen experts, {@code [tokens, topK]}
   */
  String perChoice(Ops ops, Routing routing, String indices);

  /** What {@link #value} is in a run with these choices; {@code like} is what it was in another. */
  default Tensor made(MadeChoices choices, Tensor like) {
    return choices.perExpert(like);
  }

  /** A weight that leaves next to nothing to a token's other experts, or that next to nothing. */
  default float weight(boolean isAlone) {
    return isAlone ? 1 : 0;
  }

  /**
   * The routing weight of a choice in a run.
   *
   * @param run the elements of {@link #value}
   * @param slot which of the token's choices it is
   */
  default float at(float[] run, Routing routing, int token, int slot, long expert) {
    return run[token * routing.experts() + (int) expert];
  }

  /** True where what the router says multiplies the input of an expert, not its output. */
  default boolean isOnInput() {
    return false;
  }

  /** True where a value of the graph holds them; false where an operator makes them within. */
  default boolean isShown() {
    return true;
  }

  /** The same where another value stands in the place of the scores that they are made from. */
  default RoutingWeights by(String scores, String otherScores) {
    return this;
  }

  /**
   * The routing weights of these experts for every token, 0 where one is not chosen: {@code
   * [tokens, experts + 1]}. The last column has no meaning, but is finite.
   */
  default String perExpert(Ops ops, Routing routing, List<Integer> experts, ElementType type) {
    long[] columns = new long[routing.experts()];
    Arrays.fill(columns, experts.size());
    for (int column = 0; column < experts.size(); column++) {
      columns[experts.get(column)] = column;
    }
    String indices = routing.indices(ops);
    String routingWeights =
        routing.choice().whereKept(ops, ops.cast(perChoice(ops, routing, indices), type), type);
    String tokens = ops.size(indices, 0);
    String shape = ops.concat(0, List.of(tokens, ops.vector(experts.size() + 1)));
    return ops.scatterElements(
        ops.zeros(shape, type), ops.gather(ops.vector(columns), indices), routingWeights, 1);
  }

  /**
   * One for each choice.
   *
   * @param value {@code [..., topK]}, aligned with the routing's indices
   */
  record PerChoice(String value) implements RoutingWeights {
    @Override
    public String perChoice(Ops ops, Routing routing, String indices) {
      return ops.reshape(value, -1, routing.topK());
    }

    @Override
    public Tensor made(MadeChoices choices, Tensor like) {
      return choices.perChoice(like);
    }

    @Override
    public float at(float[] run, Routing routing, int token, int slot, long expert) {
      return run[token * routing.topK() + slot];
    }
  }

  /**
   * One for each expert.
   *
   * @param value {@code [..., experts]}, 0 where an expert is not chosen
   */
  record PerExpert(String value) implements RoutingWeights {
    @Override
    public String perChoice(Ops ops, Routing routing, String indices) {
      return ops.gatherElements(ops.rows(value, routing.experts()), indices, 1);
    }

    @Override
    public String perExpert(Ops ops, Routing routing, List<Integer> experts, ElementType type) {
      return columns(ops, ops.rows(value, routing.experts()), experts, type);
    }
  }

  /**
   * None: what the router says multiplies the input of an expert, not its output, so that every
   * chosen expert counts in full.
   *
   * @param value {@code [..., experts]}: what multiplies the inputs, 0 where an expert is not
   *     chosen
   */
  record OnInput(String value) implements RoutingWeights {
    @Override
    public String perChoice(Ops ops, Routing routing, String indices) {
      return ops.expand(ops.scalar(1f), ops.shape(indices));
    }

    @Override
    public boolean isOnInput() {
      return true;
    }
  }

  /** Made inside an operator from the value that it is given. */
  record Hidden(String value, Inside inside) implements RoutingWeights {
    /** A score so far ahead of 1 that a softmax leaves next to nothing to others. */
    private static final float FAR = 30;

    /** What the operator makes of the value: float32. */
    public interface Inside {
      /** {@code [tokens, topK]}. */
      String perChoice(Ops ops, Routing routing, String indices);

      /** {@code [tokens, experts]}, 0 where an expert is not chosen. */
      default String perExpert(Ops ops, Routing routing) {
        String indices = routing.indices(ops);
        String zeros = ops.zeros(ops.shape(routing.choice().scores()));
        return ops.scatterElements(zeros, indices, perChoice(ops, routing, indices), 1);
      }
    }

    @Override
    public Tensor made(MadeChoices choices, Tensor like) {
      return choices.scores(like);
    }

    @Override
    public float weight(boolean isAlone) {
      return isAlone ? FAR : 1;
    }

    @Override
    public boolean isShown() {
      return false;
    }

    @Override
    public RoutingWeights by(String scores, String otherScores) {
      return value.equals(scores) ? new Hidden(otherScores, inside) : this;
    }

    @Override
    public String perChoice(Ops ops, Routing routing, String indices) {
      return inside.perChoice(ops, routing, indices);
    }

    @Override
    public String perExpert(Ops ops, Routing routing, List<Integer> experts, ElementType type) {
      return columns(ops, inside.perExpert(ops, routing), experts, type);
    }
  }

  /** These columns of {@code [tokens, experts]}, and one more. */
  private static String columns(Ops ops, String all, List<Integer> experts, ElementType type) {
    List<Integer> columns = new ArrayList<>(experts);
    columns.add(experts.get(0));
    long[] ids = columns.stream().mapToLong(Integer::longValue).toArray();
    return ops.cast(ops.gather(all, ops.vector(ids), 1), type);
  }
}
