package io.moneonnx.moe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Channels.Packing;
import io.moneonnx.moe.Ffn.Packed;
import io.moneonnx.moe.Ffn.Projection;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A constant that an operator reads beside or within a packed weight: its integers, their scales,
 * or their zero points. Of each neuron it has some units of one axis, which are kept as they are:
 *
 * <pre>{@code
 * constant [experts, rows, units]  =>  kept [experts, rows, kept units]
 * }</pre>
 *
 * Units are as many bits as they take; each row begins at a whole byte.
 *
 * @param input which one of the node it is
 * @param experts how many it is of: 1 where each has a constant of its own
 * @param rows of one expert
 * @param units of one row
 * @param bits of one unit
 * @param group neurons that share a unit
 * @param packing how many units neurons have otherwise
 * @param owner the expert whose constant it is; {@link Channels#ALL} for that of all
 */
record PackedPart(
    Node node,
    int input,
    Tensor tensor,
    int experts,
    int rows,
    int units,
    int bits,
    int group,
    Packing packing,
    int owner) {
  /** Runs of so many bytes stay in their file; where they are shorter, all of it is read. */
  private static final int LONG_RUN = 512;

  /** The parts of a weight, or why it cannot be cut; one of both is empty. */
  record Found(List<PackedPart> parts, String objection) {
    Found {
      parts = List.copyOf(parts);
    }
  }

  /** Where a weight's parts are looked for. */
  record Finder(Graph graph, int experts, int owner) {
    private int stacked() {
      return owner == Channels.ALL ? experts : 1;
    }

    /** The units of the rows that make neurons, of a first projection. */
    Found rows(Node node, Projection projection, Packing packing) {
      Packed packed = projection.packed().orElseThrow();
      List<Integer> inputs = new ArrayList<>(List.of(packed.weight(), packed.scales()));
      packed.zeros().ifPresent(inputs::add);
      Made made = new Made(node);
      for (int input : inputs) {
        long rows = (long) stacked() * projection.width();
        long bits = made.bits(input);
        boolean isShared = input != packed.weight() && bits % (rows * Byte.SIZE) != 0;
        made.add(
            input,
            1,
            projection.width(),
            isShared ? packed.bits() : Math.toIntExact(bits / rows),
            1,
            packing);
      }
      return made.found();
    }

    /** The units of the columns that read neurons, of the last projection. */
    Found columns(Node node, Projection projection, int inner) {
      Packed packed = projection.packed().orElseThrow();
      int group = packed.group();
      Made made = new Made(node);
      if (node.given(4).isPresent() && node.opType().equals("MatMulNBits")) {
        made.refuse(
            "'%s' orders the columns of '%s'".formatted(node.input(4), projection.weight()));
      } else if (inner % group != 0) {
        made.refuse(
            "the weight '%s' is quantised in groups of %d: expected whole groups, found %d neurons"
                .formatted(projection.weight(), group, inner));
      } else {
        int groups = inner / group;
        int width = projection.width();
        made.add(packed.weight(), width, groups, group * packed.bits(), group, Packing.SINGLE);
        if (packed.block() > 0) {
          int scale = made.type(packed.scales()).bits();
          made.add(packed.scales(), width, groups, scale, group, Packing.SINGLE);
          packed
              .zeros()
              .ifPresent(
                  zeros -> {
                    boolean isFloating = made.type(zeros).isFloating();
                    int bits = isFloating ? made.type(zeros).bits() : packed.bits();
                    made.add(zeros, width, groups, bits, group, Packing.SINGLE);
                  });
        }
      }
      return made.found();
    }

    /** Gathers parts as long as nothing speaks against them. */
    private final class Made {
      private final Node node;
      private final List<PackedPart> parts = new ArrayList<>();
      private String objection = "";

      Made(Node node) {
        this.node = node;
      }

      void refuse(String reason) {
        objection = objection.isEmpty() ? reason : objection;
      }

      ElementType type(int input) {
        return graph.constant(node.input(input)).map(Tensor::type).orElse(ElementType.FLOAT);
      }

      long bits(int input) {
        return graph.constant(node.input(input)).map(Tensor::byteSize).orElse(0L) * Byte.SIZE;
      }

      void add(int input, int rows, int units, int bits, int group, Packing packing) {
        String value = node.input(input);
        if (graph.constant(value).isEmpty()) {
          refuse("the weight '%s' is no constant".formatted(value));
        } else if (graph.constant(value).get().byteSize() != bytes(rows, units, bits)) {
          refuse(
              "the weight '%s' has %,d bytes, expected %,d for %d rows of %d times %d bits"
                  .formatted(
                      value,
                      graph.constant(value).get().byteSize(),
                      bytes(rows, units, bits),
                      stacked() * rows,
                      units,
                      bits));
        } else {
          Tensor tensor = graph.constant(value).get();
          parts.add(
              new PackedPart(
                  node, input, tensor, stacked(), rows, units, bits, group, packing, owner));
        }
      }

      private long bytes(int rows, int units, int bits) {
        return (long) stacked() * rows * (((long) units * bits + 7) / Byte.SIZE);
      }

      Found found() {
        return new Found(objection.isEmpty() ? parts : List.of(), objection);
      }
    }
  }

  /** The units of these neurons, ascending as they are. */
  private List<Integer> units(List<Integer> neurons, int inner) {
    return packing.channels(neurons, inner).stream().map(unit -> unit / group).distinct().toList();
  }

  /**
   * The constant with a row of experts for each of these, and the units of these neurons.
   *
   * @param owners the expert of each; of one that has its own the first and only
   */
  String keep(Ops ops, List<Integer> owners, List<List<Integer>> neurons, int inner) {
    List<List<Integer>> kept = neurons.stream().map(some -> units(some, inner)).toList();
    boolean isWhole = bits % Byte.SIZE == 0;
    long run = bits / Byte.SIZE;
    Tensor made =
        isWhole && run >= LONG_RUN
            ? apart(tensor).alongEach(0, owners, 2, kept)
            : oneByOne(owners, kept, isWhole);
    Tensor laidOut = made.reshaped(dims(made, owners.size()));
    return owner == Channels.ALL
        ? ops.inPlaceOf(node.input(input), "kept", laidOut)
        : ops.constant("kept", laidOut);
  }

  /** {@code [experts, rows, units, elements of a unit]}. */
  private Tensor apart(Tensor all) {
    long each = all.elements() / ((long) experts * rows * units);
    return all.reshaped(List.of((long) experts, (long) rows, (long) units, each));
  }

  /** What is read at once is what one expert has. */
  private Tensor oneByOne(List<Integer> owners, List<List<Integer>> kept, boolean isWhole) {
    int perRow = (kept.get(0).size() * bits + 7) / Byte.SIZE;
    ByteBuffer all = ByteBuffer.allocate(Math.multiplyExact(owners.size() * rows, perRow));
    for (int i = 0; i < owners.size(); i++) {
      List<Integer> owner = List.of(owners.get(i));
      if (isWhole) {
        all.put(WeightView.near(apart(tensor).rows(owner)).along(2, kept.get(i)).bytes());
      } else {
        long each = tensor.elements() / experts;
        Tensor own = tensor.reshaped(List.of((long) experts, each)).rows(owner);
        repack(own.bytes(), kept.get(i), all.slice(i * rows * perRow, rows * perRow), perRow);
      }
    }
    all.rewind();
    long elements = (long) all.remaining() * Byte.SIZE / tensor.type().bits();
    return new Tensor.Inline(tensor.type(), List.of(elements), all);
  }

  /** Numbers of some bits each, the first in the lowest ones of a byte. */
  private void repack(ByteBuffer from, List<Integer> kept, ByteBuffer to, int perRow) {
    int before = (units * bits + 7) / Byte.SIZE;
    int mask = (1 << bits) - 1;
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < kept.size(); i++) {
        int at = kept.get(i) * bits;
        int number = from.get(row * before + at / Byte.SIZE) >> at % Byte.SIZE & mask;
        int place = row * perRow + i * bits / Byte.SIZE;
        to.put(place, (byte) (to.get(place) | number << i * bits % Byte.SIZE));
      }
    }
  }

  /** The same axes, of which one is shorter. */
  private List<Long> dims(Tensor made, int owners) {
    List<Long> dims = new ArrayList<>(tensor.dims());
    boolean isStacked = owner == Channels.ALL;
    if (isStacked) {
      dims.set(0, (long) owners);
    }
    int axis = Math.min(dims.size() - 1, (isStacked ? 1 : 0) + (rows > 1 ? 1 : 0));
    long others =
        IntStream.range(0, dims.size())
            .filter(i -> i != axis)
            .mapToLong(dims::get)
            .reduce(1, Math::multiplyExact);
    dims.set(axis, made.elements() / others);
    return dims;
  }
}
