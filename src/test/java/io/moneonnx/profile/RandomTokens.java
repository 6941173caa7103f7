package io.moneonnx.profile;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Made-up tokens of one block, and the statistics of any run of them, computed in one pass. */
public record RandomTokens(BlockHeader header, List<Call> calls) {
  /** One expert's answer to one token. */
  record Call(int token, int expert, double gate, Values output) {}

  /** Each token calls {@code topK} experts; the last expert is never called. */
  public static RandomTokens of(int tokens, double offset, long seed) {
    BlockHeader header = new BlockHeader("/layers.0/mlp", "SparseLoop", 5, 2, 3, 0, 100);
    Random random = new Random(seed);
    List<Call> calls =
        IntStream.range(0, tokens)
            .boxed()
            .flatMap(
                token ->
                    random
                        .ints(0, header.experts() - 1)
                        .distinct()
                        .limit(header.topK())
                        .mapToObj(expert -> call(token, expert, offset, random)))
            .toList();
    return new RandomTokens(header, calls);
  }

  private static Call call(int token, int expert, double offset, Random random) {
    double gate = random.nextDouble();
    double[] output = random.doubles(3, offset - 1, offset + 1).toArray();
    return new Call(token, expert, gate, Values.of(output));
  }

  /** {@code sum g^2 ||f - constant||^2} over an expert's calls. */
  public double squaredError(int expert, float... constant) {
    double error = 0;
    for (Call call : calls) {
      for (int h = 0; call.expert == expert && h < constant.length; h++) {
        error += Math.pow(call.gate * (call.output.get(h) - constant[h]), 2);
      }
    }
    return error;
  }

  /** Statistics of tokens {@code from} to {@code to}, straight from their definitions. */
  public BlockStatistics statistics(int from, int to) {
    int experts = header.experts();
    int hidden = header.hidden();
    long[] n = new long[experts];
    double[][] sums = new double[6][experts];
    double[] mean = new double[experts * hidden];
    double[] m2 = new double[experts * hidden];
    double[] gmean = new double[experts * hidden];
    double[] r2 = new double[experts];
    double[] peak = new double[experts];
    long[] c = new long[experts * experts];
    List<Call> fed = calls.stream().filter(call -> call.token >= from && call.token < to).toList();
    for (Call call : fed) {
      double norm = Math.sqrt(call.output.stream().map(f -> f * f).sum());
      double gate = call.gate;
      double[] terms = {
        gate, gate * gate, norm, norm * norm, gate * norm, gate * gate * norm * norm
      };
      for (int i = 0; i < terms.length; i++) {
        sums[i][call.expert] += terms[i];
      }
      n[call.expert]++;
      for (int h = 0; h < hidden; h++) {
        mean[call.expert * hidden + h] += call.output.get(h);
        gmean[call.expert * hidden + h] += gate * gate * call.output.get(h);
        peak[call.expert] = Math.max(peak[call.expert], Math.abs(call.output.get(h)));
      }
      fed.stream()
          .filter(other -> other.token == call.token)
          .forEach(other -> c[call.expert * experts + other.expert]++);
    }
    for (int i = 0; i < mean.length; i++) {
      mean[i] /= n[i / hidden];
      gmean[i] /= sums[1][i / hidden];
    }
    for (Call call : fed) {
      for (int h = 0; h < hidden; h++) {
        int i = call.expert * hidden + h;
        m2[i] += Math.pow(call.output.get(h) - mean[i], 2);
        r2[call.expert] += Math.pow(call.gate * (call.output.get(h) - gmean[i]), 2);
      }
    }
    return MadeStatistics.of(header)
        .with(Statistic.N, Values.counts(n))
        .withSums(sums)
        .with(Statistic.MEAN, Values.of(mean))
        .with(Statistic.M2, Values.of(m2))
        .with(Statistic.GMEAN, Values.of(gmean))
        .with(Statistic.R2, Values.of(r2))
        .with(Statistic.PEAK, Values.of(peak))
        .with(Statistic.T, Values.counts(to - from))
        .with(Statistic.C, Values.counts(c))
        .with(Statistic.Y2, Values.of(fed.size()))
        .block();
  }
}
