package io.moneonnx.profile;

import io.moneonnx.profile.Statistic.Detail;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Which tensors a file has of a block: all that the shape of its statistics hangs on.
 *
 * @param detail of all tokens
 * @param shards of the data
 * @param sources tags of the data
 * @param neurons what there is beside the orders of neurons, where there are any
 */
record BlockOutline(
    BlockHeader header,
    Detail detail,
    SortedSet<Integer> shards,
    SortedSet<String> sources,
    Optional<Neurons> neurons) {
  BlockOutline {
    shards = Collections.unmodifiableSortedSet(new TreeSet<>(shards));
    sources = Collections.unmodifiableSortedSet(new TreeSet<>(sources));
  }

  /**
   * What the orders of neurons are for.
   *
   * @param bytes of one neuron
   * @param group neurons that go together; empty where each goes alone
   */
  record Neurons(NeuronOrders.Widths widths, long bytes, Optional<Integer> group) {
    static Neurons of(NeuronOrders orders) {
      return new Neurons(
          orders.widths(),
          orders.neuronBytes(),
          Optional.of(orders.group()).filter(neurons -> neurons > 1));
    }
  }

  /** As metadata have it. */
  record Document(
      String name,
      String form,
      int experts,
      int topK,
      int hidden,
      int inner,
      long expertBytes,
      Optional<List<Integer>> weightless,
      Detail detail,
      List<Integer> shards,
      List<String> sources,
      Optional<Neurons> neurons) {
    static Document of(BlockOutline outline) {
      BlockHeader header = outline.header;
      return new Document(
          header.name(),
          header.form(),
          header.experts(),
          header.topK(),
          header.hidden(),
          header.inner(),
          header.expertBytes(),
          Optional.of(header.weightless()).filter(ids -> !ids.isEmpty()),
          outline.detail,
          List.copyOf(outline.shards),
          List.copyOf(outline.sources),
          outline.neurons);
    }

    BlockOutline outline() {
      return new BlockOutline(
          new BlockHeader(
              name, form, experts, topK, hidden, inner, expertBytes, weightless.orElse(List.of())),
          detail,
          new TreeSet<>(shards),
          new TreeSet<>(sources),
          neurons);
    }
  }

  static BlockOutline of(BlockStatistics block) {
    return new BlockOutline(
        block.header(),
        block.all().detail(),
        new TreeSet<>(block.slices().shards().keySet()),
        new TreeSet<>(block.slices().sources().keySet()),
        block.orders().map(Neurons::of));
  }

  /** What the statistics of both merge to. */
  BlockOutline merge(BlockOutline other) {
    return new BlockOutline(
        header,
        detail,
        union(shards, other.shards),
        union(sources, other.sources),
        Optional.empty());
  }

  private static <T> SortedSet<T> union(Set<T> some, Set<T> others) {
    SortedSet<T> all = new TreeSet<>(some);
    all.addAll(others);
    return all;
  }

  String prefix() {
    return header.name() + ".";
  }

  String shard(int number) {
    return prefix() + "shard." + number + ".";
  }

  String source(String tag) {
    return prefix() + "source." + tag + ".";
  }

  /**
   * Adds the block's tensors, one after the other.
   *
   * @throws IllegalArgumentException if two tensors have one name
   */
  void addTo(SafetensorsHeader file) throws IOException {
    add(file, prefix(), detail);
    if (neurons.isPresent()) {
      List<Integer> removed = NeuronOrders.removedSizes(header);
      List<Integer> distortions = NeuronOrders.distortionSizes(header);
      file.add(prefix() + NeuronOrders.REMOVED, Values.Type.COUNT, removed, elements(removed));
      file.add(
          prefix() + NeuronOrders.DISTORTIONS,
          Values.Type.NUMBER,
          distortions,
          elements(distortions));
    }
    for (int shard : shards) {
      add(file, shard(shard), Detail.SUMS);
    }
    for (String source : sources) {
      add(file, source(source), Detail.SUMS);
    }
  }

  static long elements(List<Integer> sizes) {
    return sizes.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
  }

  private void add(SafetensorsHeader file, String prefix, Detail detail) throws IOException {
    for (Statistic each : detail.statistics()) {
      Statistic.Shape shape = detail.shape(each);
      file.add(prefix + each.symbol(), each.type(), shape.sizes(header), shape.elements(header));
    }
  }
}
