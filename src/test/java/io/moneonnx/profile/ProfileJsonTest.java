package io.moneonnx.profile;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

final class ProfileJsonTest {
  private static final BlockHeader HEADER = new BlockHeader("mlp", "SparseLoop", 2, 1, 2, 0, 100);

  private static final Statistics TAGGED =
      MadeStatistics.of(HEADER)
          .sums()
          .with(Statistic.T, 2)
          .with(Statistic.N, 2, 0)
          .with(Statistic.G1, 1.5, 0)
          .with(Statistic.G2, 1.25, 0)
          .with(Statistic.A1, 3, 0)
          .with(Statistic.A2, 5, 0)
          .with(Statistic.B1, 2, 0)
          .with(Statistic.B2, 2.5, 0)
          .with(Statistic.M2, 0.5, 0)
          .with(Statistic.R2, 0.25, 0)
          .with(Statistic.PEAK, 1, 0)
          .with(Statistic.Y2, 2.25)
          .all();

  private static final BlockStatistics ONE_EXPERT_OF_TWO =
      MadeStatistics.of(HEADER)
          .with(Statistic.N, 2, 0)
          .with(Statistic.G1, 1.5, 0)
          .with(Statistic.G2, 1.25, 0)
          .with(Statistic.A1, 3, 0)
          .with(Statistic.A2, 5, 0)
          .with(Statistic.B1, 2, 0)
          .with(Statistic.B2, 2.5, 0)
          .with(Statistic.MEAN, 1, -1, Double.NaN, Double.NaN)
          .with(Statistic.M2, 0.5, 0, Double.NaN, Double.NaN)
          .with(Statistic.GMEAN, 0.75, -1, Double.NaN, Double.NaN)
          .with(Statistic.R2, 0.25, Double.NaN)
          .with(Statistic.PEAK, 1, 0)
          .with(Statistic.T, 2)
          .with(Statistic.C, 2, 0, 0, 0)
          .with(Statistic.Y2, 2.25)
          .block(new Slices(new TreeMap<>(), new TreeMap<>(Map.of("code", TAGGED))));

  private static final Profile PROFILE = profile(run());

  private static Profile.Run run() {
    return new Profile.Run(
        "0.1",
        "1.29.0",
        "cpu",
        2,
        2,
        List.of(new Profile.Source("a.txt", Optional.of("code"), 9, "00ff", 2)),
        Map.of("target", "cpu"));
  }

  private static Profile profile(Profile.Run... runs) {
    return new Profile("sha256:00", 1000, List.of(runs), List.of(ONE_EXPERT_OF_TWO));
  }

  @Test
  void writesEveryStatisticUnderItsNameAndNullWhereItIsNotDefined() throws IOException {
    StringWriter json = new StringWriter();

    ProfileJson.write(PROFILE, json);

    assertThat(json.toString())
        .isEqualTo(
            """
            {"model":"sha256:00","bytes":1000,"runs":[{"toolVersion":"0.1",\
            "runtimeVersion":"1.29.0","device":"cpu","tokens":2,"sequenceLength":2,\
            "sources":[{"name":"a.txt","tag":"code","bytes":9,"sha256":"00ff","tokens":2}],\
            "notes":{"target":"cpu"}}],\
            "blocks":[{"name":"mlp","form":"SparseLoop","experts":2,"topK":1,"hidden":2,"inner":0,\
            "expertBytes":100,"T":2,\
            "n":[2,0],"G1":[1.5,0.0],"G2":[1.25,0.0],"A1":[3.0,0.0],"A2":[5.0,0.0],\
            "B1":[2.0,0.0],"B2":[2.5,0.0],"mean":[[1.0,-1.0],[null,null]],\
            "M2":[[0.5,0.0],[null,null]],"gmean":[[0.75,-1.0],[null,null]],"R2":[0.25,null],\
            "peak":[1.0,null],"C":[[2,0],[0,0]],"Y2":2.25,\
            "shards":{},"sources":{"code":{"T":2,"n":[2,0],"G1":[1.5,0.0],"G2":[1.25,0.0],\
            "A1":[3.0,0.0],"A2":[5.0,0.0],"B1":[2.0,0.0],"B2":[2.5,0.0],"M2":[0.5,null],\
            "R2":[0.25,null],"peak":[1.0,null],"Y2":2.25}}}]}""");
  }

  @Test
  void printsTablesForPeople() {
    assertThat(ProfileText.of(PROFILE))
        .isEqualTo(
            """
            model     sha256:00 (1,000 bytes)
            tokens    2 in sequences of 2
            source    code=a.txt (9 bytes, 2 tokens)
            made by   mone-onnx 0.1, ONNX Runtime 1.29.0 on cpu
            target    cpu

            mlp: SparseLoop, 2 experts, top 1, hidden 2, 2 tokens, mean norm 1.500
            expert          n   calls  mean gate     spread  mean norm       peak  n of code
                 0          2 100.00%     0.7500     0.7071      1.500      1.000          2
                 1          0   0.00%          -          -          -          -          0
            """);
  }

  @Test
  void countsTheRunsOfAMergedProfile() {
    assertThat(ProfileText.of(profile(run(), run())))
        .startsWith(
            """
            model     sha256:00 (1,000 bytes)

            run       1 of 2
            tokens    2 in sequences of 2
            """)
        .contains("target    cpu\n\nrun       2 of 2\n");
  }
}
