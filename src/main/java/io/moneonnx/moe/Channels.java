package io.moneonnx.moe;

import java.util.List;
import java.util.stream.Stream;

/**
 * How the neurons of experts lie in a value. Axes are counted from the last one, which is 1.
 *
 * @param neurons the axis of the neurons
 * @param experts the axis that has an index for each expert; 0 if there is none
 * @param owner the expert whose neurons they are; {@link #ALL} where rows are of several
 */
record Channels(Packing packing, int neurons, int experts, int owner) {
  /** The owner of values that have something of every expert. */
  static final int ALL = -1;

  /** How neurons lie along their axis. */
  enum Packing {
    /** A channel each. */
    SINGLE,
    /** All gates, then all ups. */
    HALVES,
    /** Gate and up by turns. */
    PAIRS;

    static Packing of(Ffn.Kind kind) {
      return switch (kind) {
        case PLAIN, GATED -> SINGLE;
        case CONCATENATED -> HALVES;
        case INTERLEAVED -> PAIRS;
      };
    }

    int channels(int neurons) {
      return this == SINGLE ? neurons : 2 * neurons;
    }

    /** The channels of these of {@code inner} neurons. */
    List<Integer> channels(List<Integer> neurons, int inner) {
      return switch (this) {
        case SINGLE -> neurons;
        case HALVES ->
            Stream.concat(neurons.stream(), neurons.stream().map(neuron -> inner + neuron))
                .toList();
        case PAIRS ->
            neurons.stream().flatMap(neuron -> Stream.of(2 * neuron, 2 * neuron + 1)).toList();
      };
    }
  }

  /** The same where one of gate and up is left. */
  Channels single() {
    return new Channels(Packing.SINGLE, neurons, experts, owner);
  }

  /** The same at other places. */
  Channels at(int otherNeurons, int otherExperts) {
    return new Channels(packing, otherNeurons, otherExperts, owner);
  }

  /** The same where rows of one expert have been put beside those of others. */
  Channels joined() {
    return new Channels(packing, neurons, 0, ALL);
  }
}
