package io.moneonnx.pipeline;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.NeuronCut;
import io.moneonnx.narrow.DownMatrix;
import io.moneonnx.narrow.Moments;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Statistic;
import io.moneonnx.run.RunOptions;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.function.IntFunction;

/** Linear algebra on the neurons of one expert after another, as many at once as memory holds. */
final class NeuronWork {
  /** Numbers that one expert takes: some {@code 8 I^2 + 3 H I}. */
  private static final int SQUARES = 8;

  private static final int PRODUCTS = 3;

  private final DownWeights weights;
  private final int threads;

  NeuronWork(LoadedModel subject, RunOptions options) {
    this.weights = new DownWeights(subject);
    this.threads =
        options.threads() > 0 ? options.threads() : Runtime.getRuntime().availableProcessors();
  }

  /** What is made of an expert. */
  interface Job<T> {
    /**
     * Runs on any thread.
     *
     * @param moments of what its down projection reads
     * @param down its down projection
     */
    T of(int expert, Moments moments, DownMatrix down);
  }

  /**
   * Makes something of each of some experts of a block, in their order.
   *
   * @param neurons of the block
   * @throws BadInputException if moments or weights cannot be worked with; names block and expert
   */
  <T> List<T> each(
      MoeBlock block,
      NeuronCut neurons,
      BlockStatistics measured,
      List<Integer> experts,
      Job<T> job) {
    IntFunction<DownMatrix> down = weights.of(block, neurons);
    ForkJoinPool pool = new ForkJoinPool(threads(block));
    try {
      return pool.submit(
              () ->
                  experts.parallelStream()
                      .map(expert -> made(block, measured, expert, down, job))
                      .toList())
          .get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    } finally {
      pool.shutdownNow();
    }
  }

  private int threads(MoeBlock block) {
    long inner = block.inner();
    long bytes = (SQUARES * inner * inner + PRODUCTS * inner * block.hidden()) * Double.BYTES;
    long fitting = Runtime.getRuntime().maxMemory() / 2 / Math.max(1, bytes);
    return (int) Math.max(1, Math.min(threads, fitting));
  }

  private static <T> T made(
      MoeBlock block,
      BlockStatistics measured,
      int expert,
      IntFunction<DownMatrix> down,
      Job<T> job) {
    try {
      return job.of(expert, moments(measured, expert), down.apply(expert));
    } catch (BadInputException e) {
      throw new BadInputException(
          "block '%s': expert %d: %s".formatted(block.name(), expert, e.getMessage()), e);
    }
  }

  private static Moments moments(BlockStatistics measured, int expert) {
    int inner = measured.header().inner();
    return Moments.of(inner, measured.get(Statistic.M).row(expert, Moments.size(inner)));
  }
}
