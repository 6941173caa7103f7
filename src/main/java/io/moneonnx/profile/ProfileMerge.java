package io.moneonnx.profile;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.profile.Profile.Run;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Several profiles of one model as one: the statistics of all their tokens together. They merge
 * block by block, in the order of their contents: the result is the same, byte for byte, in
 * whatever order they are named.
 */
public final class ProfileMerge {
  /** The note of a run that says for which execution provider the model was read. */
  private static final String TARGET = "target";

  private final List<Input> inputs;

  private ProfileMerge(List<Path> files) {
    this.inputs =
        new ArrayList<>(
            files.stream().map(file -> new Input(file, ProfileFile.read(file))).toList());
  }

  /** A profile that is merged; what was measured stays in its file. */
  private record Input(Path file, Profile profile) {
    List<BlockStatistics> blocks() {
      return profile.blocks();
    }
  }

  /**
   * Writes what {@code profiles} say together; a present file is replaced.
   *
   * @param notices is told of sources that two of them were measured on
   * @return what was written, without its blocks
   * @throws BadInputException if they are of different models, targets or blocks, if two are the
   *     same, or one is no profile
   */
  public static Profile write(List<Path> profiles, Path out, Consumer<String> notices) {
    ProfileMerge merge = new ProfileMerge(profiles);
    merge.requireAlike();
    merge.sort();
    merge.noticeSourcesOfTwo(notices);
    Profile head = merge.head();
    ProfileFile.write(head, merge.outlines(), merge::blocks, out);
    return head;
  }

  private Input first() {
    return inputs.get(0);
  }

  private int size() {
    return first().blocks().size();
  }

  private void requireAlike() {
    for (Input other : inputs.subList(1, inputs.size())) {
      requireAlike(first().file(), first().profile(), other.file(), other.profile());
    }
  }

  private static void requireAlike(Path file, Profile wanted, Path other, Profile found) {
    if (!found.model().equals(wanted.model())) {
      throw new BadInputException(
          "%s is of model %s, %s of model %s; expected profiles of one model"
              .formatted(file, wanted.model(), other, found.model()));
    }
    if (!targets(found).equals(targets(wanted))) {
      throw new BadInputException(
          "%s was measured for target %s, %s for %s; expected one --target for all"
              .formatted(file, targets(wanted), other, targets(found)));
    }
    if (!names(found).equals(names(wanted))) {
      throw new BadInputException(
          ("%s and %s hold different blocks: %s only in the first, %s only in the second;"
                  + " a block that a calibration refuses is not in its profile")
              .formatted(
                  file,
                  other,
                  without(names(wanted), names(found)),
                  without(names(found), names(wanted))));
    }
    for (int i = 0; i < wanted.blocks().size(); i++) {
      BlockHeader header = wanted.blocks().get(i).header();
      if (!header.equals(found.blocks().get(i).header())) {
        throw new BadInputException(
            "%s holds %s, %s holds %s"
                .formatted(file, header, other, found.blocks().get(i).header()));
      }
      Statistic.Detail detail = wanted.blocks().get(i).all().detail();
      if (detail != found.blocks().get(i).all().detail()) {
        throw new BadInputException(
            "only %s holds moments of '%s'; expected all or none to be of calibrate --moments"
                .formatted(detail == Statistic.Detail.MOMENTS ? file : other, header.name()));
      }
    }
  }

  private static List<String> names(Profile profile) {
    return profile.blocks().stream().map(BlockStatistics::name).toList();
  }

  private static Set<String> without(Collection<String> names, Collection<String> others) {
    Set<String> rest = new TreeSet<>(names);
    rest.removeAll(others);
    return rest;
  }

  private static String targets(Profile profile) {
    return profile.runs().stream()
        .map(run -> run.notes().getOrDefault(TARGET, "unknown"))
        .distinct()
        .collect(Collectors.joining(", "));
  }

  private void sort() {
    inputs.sort(Comparator.comparing(Input::file, ProfileMerge::compare));
    for (int i = 1; i < inputs.size(); i++) {
      Path one = inputs.get(i - 1).file();
      Path other = inputs.get(i).file();
      if (compare(one, other) == 0) {
        throw new BadInputException(
            "%s and %s are the same profile; its tokens would count twice".formatted(one, other));
      }
    }
  }

  private static int compare(Path one, Path other) {
    try {
      long at = Files.mismatch(one, other);
      return at < 0 ? 0 : Integer.compare(byteAt(one, at), byteAt(other, at));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The byte at a place, or -1 at the end. */
  private static int byteAt(Path file, long place) throws IOException {
    try (SeekableByteChannel channel = Files.newByteChannel(file).position(place)) {
      return Channels.newInputStream(channel).read();
    }
  }

  /** Not refused: two runs may have read other fields or parts of a file. */
  private void noticeSourcesOfTwo(Consumer<String> notices) {
    for (int i = 0; i < inputs.size(); i++) {
      Map<String, String> sources = sources(inputs.get(i));
      for (Input other : inputs.subList(i + 1, inputs.size())) {
        Map<String, String> both = new TreeMap<>(sources);
        both.keySet().retainAll(sources(other).keySet());
        for (String source : both.values()) {
          notices.accept(
              "%s and %s were both measured on %s: tokens that are in both count twice"
                  .formatted(inputs.get(i).file(), other.file(), source));
        }
      }
    }
  }

  /** Names of what was fed, by the hash of its contents. */
  private static Map<String, String> sources(Input input) {
    Map<String, String> names = new TreeMap<>();
    for (Run run : input.profile().runs()) {
      run.sources().forEach(source -> names.putIfAbsent(source.sha256(), source.name()));
    }
    return names;
  }

  /**
   * The bytes of a model depend on how its file stores it, and its fingerprint does not: the larger
   * ones are kept, which promise too little rather than too much.
   */
  private Profile head() {
    List<Profile> heads = inputs.stream().map(Input::profile).toList();
    return new Profile(
        heads.get(0).model(),
        heads.stream().mapToLong(Profile::modelBytes).max().orElseThrow(),
        heads.stream()
            .flatMap(head -> head.runs().stream())
            .sorted(Comparator.comparing(Run::toString))
            .toList(),
        List.of());
  }

  private List<BlockOutline> outlines() {
    return IntStream.range(0, size())
        .mapToObj(
            number ->
                inputs.stream()
                    .map(input -> BlockOutline.of(input.blocks().get(number)))
                    .reduce(BlockOutline::merge)
                    .orElseThrow())
        .toList();
  }

  private Iterator<BlockStatistics> blocks() {
    return IntStream.range(0, size())
        .mapToObj(
            number ->
                inputs.stream()
                    .map(input -> input.blocks().get(number))
                    .reduce(BlockStatistics::merge)
                    .orElseThrow())
        .iterator();
  }
}
