package io.moneonnx.profile;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ProfileJsonTest {
  private static final BlockStatistics ONE_EXPERT_OF_TWO =
      new BlockStatistics(
          new BlockHeader("mlp", "SparseLoop", 2, 1, 2, 100),
          Longs.of(2, 0),
          Doubles.of(1.5, 0),
          Doubles.of(1.25, 0),
          Doubles.of(3, 0),
          Doubles.of(5, 0),
          Doubles.of(2, 0),
          Doubles.of(2.5, 0),
          Doubles.of(1, -1, Double.NaN, Double.NaN),
          Doubles.of(0.5, 0, Double.NaN, Double.NaN),
          Doubles.of(0.75, -1, Double.NaN, Double.NaN),
          Doubles.of(0.25, Double.NaN),
          Doubles.of(1, 0),
          2,
          Longs.of(2, 0, 0, 0),
          2.25,
          Slices.NONE);

  private static final Profile PROFILE =
      new Profile(
          "sha256:00",
          1000,
          List.of(new Profile.Run("0.1", "1.29.0", "cpu", 2, 2, List.of(), Map.of())),
          List.of(ONE_EXPERT_OF_TWO));

  @Test
  void writesEveryStatisticUnderItsNameAndNullWhereItIsNotDefined() throws IOException {
    StringWriter json = new StringWriter();

    ProfileJson.write(PROFILE, json);

    assertThat(json.toString())
        .isEqualTo(
            """
            {"blocks":[{"name":"mlp","form":"SparseLoop","experts":2,"topK":1,"hidden":2,"T":2,\
            "n":[2,0],"G1":[1.5,0.0],"G2":[1.25,0.0],"A1":[3.0,0.0],"A2":[5.0,0.0],\
            "B1":[2.0,0.0],"B2":[2.5,0.0],"mean":[[1.0,-1.0],[null,null]],\
            "M2":[[0.5,0.0],[null,null]],"gmean":[[0.75,-1.0],[null,null]],"R2":[0.25,null],\
            "peak":[1.0,null],"C":[[2,0],[0,0]],"Y2":2.25}]}""");
  }

  @Test
  void printsATableForPeople() {
    assertThat(ProfileText.of(PROFILE))
        .endsWith(
            """
            mlp: SparseLoop, 2 experts, top 1, hidden 2, 2 tokens
            expert          n   share  mean gate     spread  mean norm       peak
                 0          2 100.00%     0.7500     0.7071      1.500      1.000
                 1          0   0.00%          -          -          -          -
            """);
  }
}
