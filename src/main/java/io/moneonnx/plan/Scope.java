package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/** Which experts are ranked against each other. */
public sealed interface Scope {
  /** The candidates in the order in which they go. */
  PruningOrder supply(Candidates candidates);

  /** As it is asked for on a command line, without dashes. */
  @Override
  String toString();

  /** Those of one block: each block loses the same number. */
  record Layer() implements Scope {
    @Override
    public PruningOrder supply(Candidates candidates) {
      return new EachBlock(candidates.blocks());
    }

    @Override
    public String toString() {
      return "scope layer";
    }
  }

  /** Those of all blocks: counts then differ between blocks. */
  record Model(Normalisation normalisation) implements Scope {
    @Override
    public PruningOrder supply(Candidates candidates) {
      return AllBlocks.of(candidates.blocks(), normalisation);
    }

    @Override
    public String toString() {
      return normalisation == Normalisation.NONE
          ? "scope model"
          : "scope model, normalise " + normalisation;
    }
  }

  /** Each block's lowest. */
  record EachBlock(List<Candidates.Block> blocks) implements PruningOrder {
    @Override
    public int most() {
      return blocks.stream().mapToInt(Candidates.Block::room).min().orElse(0);
    }

    @Override
    public int largest() {
      return blocks.stream().mapToInt(Candidates.Block::experts).max().orElse(0);
    }

    @Override
    public Selection first(int number) {
      return lowest(block -> number);
    }

    @Override
    public Selection part(Ratio ratio) {
      return lowest(block -> ratio.of(block.experts()));
    }

    @Override
    public List<Ratio> ratios() {
      return blocks.stream()
          .map(Candidates.Block::experts)
          .distinct()
          .flatMap(Ratio::upTo)
          .distinct()
          .sorted(Comparator.comparing(Ratio::ratio))
          .takeWhile(this::canSpare)
          .toList();
    }

    private boolean canSpare(Ratio ratio) {
      return blocks.stream().allMatch(block -> ratio.of(block.experts()) <= block.room());
    }

    private Selection lowest(ToIntFunction<Candidates.Block> number) {
      return new Selection(
          blocks.stream().map(block -> block.lowest(number.applyAsInt(block))).toList());
    }
  }

  /**
   * One ranking; experts that their block cannot spare are left out of it.
   *
   * @param order lowest score first, ties by block and index
   */
  record AllBlocks(List<Candidates.Block> blocks, List<Ranked> order) implements PruningOrder {
    /** An expert, and what it is worth beside those of other blocks. */
    record Ranked(int block, int expert, double score) {}

    static AllBlocks of(List<Candidates.Block> blocks, Normalisation normalisation) {
      List<Ranked> order = new ArrayList<>();
      for (int i = 0; i < blocks.size(); i++) {
        Candidates.Block block = blocks.get(i);
        double unit = normalisation.unit(block);
        for (int expert : block.order().subList(0, block.room())) {
          order.add(new Ranked(i, expert, block.scores().get(expert) / unit));
        }
      }
      order.sort(Comparator.comparingDouble(Ranked::score));
      return new AllBlocks(blocks, order);
    }

    @Override
    public int most() {
      return order.size();
    }

    @Override
    public int largest() {
      return blocks.stream().mapToInt(Candidates.Block::experts).sum();
    }

    @Override
    public Selection first(int number) {
      if (number > most()) {
        throw new BadInputException(
            "%d of %d experts were to go, %d can: in each of %d blocks some stay, of '%s' %s"
                .formatted(
                    number,
                    largest(),
                    most(),
                    blocks.size(),
                    blocks.get(0).name(),
                    blocks.get(0).reason()));
      }
      List<List<Integer>> pruned =
          IntStream.range(0, blocks.size())
              .<List<Integer>>mapToObj(block -> new ArrayList<>())
              .toList();
      order.subList(0, number).forEach(ranked -> pruned.get(ranked.block()).add(ranked.expert()));
      return new Selection(pruned);
    }

    @Override
    public Selection part(Ratio ratio) {
      return first(ratio.of(largest()));
    }

    @Override
    public List<Ratio> ratios() {
      return Ratio.upTo(largest()).limit(most()).toList();
    }
  }
}
