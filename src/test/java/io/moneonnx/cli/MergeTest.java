package io.moneonnx.cli;

import static io.moneonnx.cli.ExitCode.BAD_INPUT;
import static io.moneonnx.profile.Closeness.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.data.Fixtures;
import io.moneonnx.graph.Tensor;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.ProfileFile;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Statistics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Profiles of parts of the data against one of all of them, on a real model. */
class MergeTest {
  private static final double CLOSE = 1e-6;
  private static final int LENGTH = 32;

  @TempDir private static Path shared;
  @TempDir private Path folder;

  private static Path all;
  private static Path a;
  private static Path b;
  private static Path c;
  private Path out;

  @BeforeAll
  static void measuresAllAndEachPart() throws IOException {
    all = measured("all", 0, 6);
    a = measured("a", 0, 2);
    b = measured("b", 2, 5);
    c = measured("c", 5, 6);
  }

  /** A profile of sequences {@code from} to {@code to}. */
  private static Path measured(String name, int from, int to) throws IOException {
    long[] ids =
        IntStream.range(from, to)
            .mapToObj(sequence -> new Random(sequence).longs(LENGTH, 0, 500))
            .flatMap(random -> random.boxed())
            .mapToLong(id -> id)
            .toArray();
    ByteBuffer bytes = Tensor.vector(ids).bytes();
    byte[] elements = new byte[bytes.remaining()];
    bytes.get(elements);
    String shape = "(%d, %d)".formatted(to - from, LENGTH);
    Path data =
        Fixtures.npz(
            shared.resolve(name + ".npz"),
            Map.of("input_ids", Fixtures.npy("<i8", shape, elements)));
    Path profile = shared.resolve(name + ".profile");
    Cli.run("calibrate", TwoLayers.MODEL, "--data", data, "-o", profile, "--device", "cpu")
        .succeeds();
    return profile;
  }

  @Test
  void momentsAddUp() throws IOException {
    Path both = shared.resolve("moments.profile");
    Path first = shared.resolve("first.profile");
    Path second = shared.resolve("second.profile");
    for (Path each : List.of(both, first, second)) {
      List<Path> data =
          Stream.of("a", "b")
              .filter(name -> each == both || (each == first) == name.equals("a"))
              .map(name -> shared.resolve(name + ".npz"))
              .toList();
      List<Object> arguments = new ArrayList<>(List.of("calibrate", TwoLayers.MODEL, "--moments"));
      data.forEach(file -> arguments.addAll(List.of("--data", file)));
      arguments.addAll(List.of("-o", each, "--device", "cpu"));
      Cli.run(arguments.toArray()).succeeds();
    }
    Cli.run("merge", first, second, "-o", out("moments")).succeeds();

    List<BlockStatistics> wanted = ProfileFile.read(both).blocks();
    List<BlockStatistics> found = ProfileFile.read(out("moments")).blocks();
    for (int i = 0; i < wanted.size(); i++) {
      assertThat(found.get(i).all().detail()).isEqualTo(Statistic.Detail.MOMENTS);
      assertThat(wanted.get(i).get(Statistic.H2, 0)).isPositive();
      assertClose(found.get(i).all(), wanted.get(i).all(), CLOSE);
    }
    Cli.run("merge", all, first, "-o", out("mixed")).fails(BAD_INPUT, "holds moments of");
  }

  private Path out(String name) {
    return folder.resolve(name);
  }

  private Profile merged(Path... profiles) {
    out = out("merged");
    merge(profiles).succeeds();
    return ProfileFile.read(out);
  }

  private Cli merge(Path... profiles) {
    return Cli.run(
        Stream.concat(Stream.of("merge", "-o", out, "--force"), Stream.of(profiles)).toArray());
  }

  /** A profile made from that of {@code a}. */
  private Path changed(String name, String model, String target, List<BlockStatistics> blocks) {
    Profile given = ProfileFile.read(a);
    Profile.Run run = given.runs().get(0);
    Path file = out(name);
    ProfileFile.write(
        new Profile(
            model,
            given.modelBytes(),
            List.of(
                new Profile.Run(
                    run.toolVersion(),
                    run.runtimeVersion(),
                    run.device(),
                    1,
                    run.sequenceLength(),
                    run.sources(),
                    Map.of("target", target))),
            blocks),
        file);
    return file;
  }

  @Test
  void mergesToWhatOneRunOverAllDataMeasures() {
    assertSame(merged(a, b, c), ProfileFile.read(all));
  }

  @Test
  void mergesWhatWasMergedBefore() {
    Path ab = out("ab");
    Cli.run("merge", a, b, "-o", ab).succeeds();

    assertSame(merged(c, ab), ProfileFile.read(all));
  }

  @Test
  void givesTheSameFileInWhateverOrder() throws IOException {
    merged(a, b, c);
    byte[] wanted = Files.readAllBytes(out);

    for (Path[] order : List.of(new Path[] {c, a, b}, new Path[] {b, c, a})) {
      merged(order);
      assertThat(Files.readAllBytes(out)).isEqualTo(wanted);
    }
  }

  @Test
  void keepsTheRunsAndSaysHowMany() {
    out = out("merged");

    Cli merged = merge(b, a).succeeds();

    assertThat(merged.out()).isEqualTo(out + ": 160 tokens in 2 runs\n");
    assertThat(merged.err()).isEmpty();
    assertThat(ProfileFile.read(out).runs())
        .containsExactlyInAnyOrder(
            ProfileFile.read(a).runs().get(0), ProfileFile.read(b).runs().get(0));
    assertThat(Cli.run("show", out).succeeds().out())
        .contains("run       1 of 2", "run       2 of 2", "a.npz", "b.npz");
  }

  @Test
  void warnsOfASourceThatMayCountTwice() {
    Path ab = out("ab");
    Cli.run("merge", a, b, "-o", ab).succeeds();
    out = out("merged");

    Cli merged = merge(ab, c, a).succeeds();

    assertThat(merged.err().lines()).hasSize(1);
    assertThat(merged.err()).contains("/ab", "a.profile", "both measured on a.npz", "count twice");
  }

  @Test
  void refusesTheSameProfileTwice() throws IOException {
    out = out("merged");
    Path copy = Files.copy(a, out("copy"));

    merge(a, b, copy).fails(BAD_INPUT, a, copy, "are the same profile");
    merge(a, a).fails(BAD_INPUT, "are the same profile");
    assertThat(out).doesNotExist();
  }

  @Test
  void refusesProfilesOfDifferentModels() {
    out = out("merged");
    Path other = changed("other", "sha256:77", "cpu", ProfileFile.read(a).blocks());

    merge(a, other).fails(BAD_INPUT, a, ProfileFile.read(a).model(), other, "sha256:77");
  }

  @Test
  void refusesProfilesForDifferentTargets() {
    out = out("merged");
    Profile given = ProfileFile.read(a);
    Path other = changed("other", given.model(), "tensorrt", given.blocks());

    merge(a, other).fails(BAD_INPUT, "target cpu", other, "tensorrt", "one --target");
  }

  @Test
  void saysWhichBlocksOnlyOneProfileHas() {
    out = out("merged");
    Profile given = ProfileFile.read(a);
    Path fewer = changed("fewer", given.model(), "cpu", given.blocks().subList(0, 1));
    Path others = changed("others", given.model(), "cpu", given.blocks().subList(1, 2));

    merge(a, fewer)
        .fails(BAD_INPUT, "[layers.1] only in the first, [] only in the second", "refuses");
    merge(fewer, others)
        .fails(BAD_INPUT, "different blocks: [layers.0] only in", "[layers.1] only in");
    assertThat(out).doesNotExist();
  }

  @Test
  void wantsTwoProfilesAndAnOutputOfItsOwn() throws IOException {
    out = out("merged");
    merge(a).fails(BAD_INPUT, "PROFILE");
    out = a;
    merge(a, b).fails(BAD_INPUT, "is read as an input");
    out = Files.writeString(out("there"), "something");
    Cli.run("merge", a, b, "-o", out).fails(BAD_INPUT, "exists already; --force replaces it");
  }

  private static void assertSame(Profile found, Profile wanted) {
    assertThat(found.model()).isEqualTo(wanted.model());
    assertThat(found.modelBytes()).isEqualTo(wanted.modelBytes());
    assertThat(found.tokens()).isEqualTo(wanted.tokens());
    assertThat(found.blocks()).hasSameSizeAs(wanted.blocks());
    for (int i = 0; i < wanted.blocks().size(); i++) {
      assertSame(found.blocks().get(i), wanted.blocks().get(i));
    }
  }

  private static void assertSame(BlockStatistics found, BlockStatistics wanted) {
    assertClose(found.all(), wanted.all(), CLOSE);
    assertThat(found.get(Statistic.PEAK)).isEqualTo(wanted.get(Statistic.PEAK));
    Statistics shards =
        found.slices().shards().values().stream().reduce(Statistics::merge).orElseThrow();
    assertThat(shards.get(Statistic.N)).isEqualTo(wanted.get(Statistic.N));
    assertClose(Statistic.G1, shards.get(Statistic.G1), wanted.get(Statistic.G1), CLOSE);
  }
}
