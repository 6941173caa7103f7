package io.moneonnx.bench;

import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Target;
import io.moneonnx.observe.BlockHeaders;
import io.moneonnx.pipeline.LoadedModel;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.MadeStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.ProfileFile;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Values;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;

/**
 * Writes a made-up profile of a model, for timing what comes after calibration on models too large
 * to be calibrated here: {@code MadeProfile MODEL PROFILE}. The same at every call.
 */
final class MadeProfile {
  private static final long TOKENS = 1000;

  private final Random random = new Random(5);

  private MadeProfile() {}

  public static void main(String... args) {
    new MadeProfile().write(LoadedModel.open(Path.of(args[0]), Target.CPU), Path.of(args[1]));
  }

  private void write(LoadedModel subject, Path out) {
    Profile.Run run =
        new Profile.Run(
            "0", "0", "cpu", TOKENS, 1, List.of(), Map.of("target", Target.CPU.toString()));
    List<BlockStatistics> blocks = subject.blocks().stream().map(this::statistics).toList();
    ProfileFile.write(
        new Profile(subject.fingerprint(), subject.files().bytes(), List.of(run), blocks), out);
  }

  private BlockStatistics statistics(MoeBlock block) {
    BlockHeader header = BlockHeaders.of(block);
    int experts = header.experts();
    int cells = experts * header.hidden();
    return MadeStatistics.of(header)
        .with(
            Statistic.N,
            Values.counts(
                LongStream.generate(() -> 1 + random.nextInt(99)).limit(experts).toArray()))
        .with(Statistic.G1, some(experts))
        .with(Statistic.G2, some(experts))
        .with(Statistic.A1, some(experts))
        .with(Statistic.A2, some(experts))
        .with(Statistic.B1, some(experts))
        .with(Statistic.B2, some(experts))
        .with(Statistic.MEAN, some(cells))
        .with(Statistic.M2, some(cells))
        .with(Statistic.GMEAN, some(cells))
        .with(Statistic.R2, some(experts))
        .with(Statistic.PEAK, some(experts))
        .with(Statistic.T, Values.counts(TOKENS))
        .with(Statistic.Y2, 1)
        .block();
  }

  private Values some(int size) {
    return Values.of(random.doubles(size).toArray());
  }
}
