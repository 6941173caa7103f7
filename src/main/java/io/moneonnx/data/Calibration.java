package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Tensor;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Calibration data, ready to be fed: each element is one run of the model. Files are read and
 * checked when this is opened, feeds are made as they are asked for; going through them again gives
 * the same.
 */
public final class Calibration implements Iterable<Batch> {
  private final List<SourceGroup> groups;
  private final List<String> leftOut;
  private final FeedFiller filler;
  private final BatchSize size;
  private final Supplier<Path> tokenizer;

  private Calibration(
      List<SourceGroup> groups,
      List<String> leftOut,
      ModelInputs inputs,
      BatchSize size,
      Supplier<Path> tokenizer) {
    this.groups = List.copyOf(groups);
    this.leftOut = leftOut;
    this.filler = new FeedFiller(inputs);
    this.size = size;
    this.tokenizer = tokenizer;
  }

  /**
   * Reads calibration data for a model.
   *
   * @param given {@code .npz} and {@code .npy} arrays, anything else as text
   * @param folder where the model lies, for its tokenizer and its longest sequence
   * @throws BadInputException if a file cannot be read, does not suit the model or holds nothing
   */
  public static Calibration open(
      List<DataSource> given, ModelFolder folder, Graph graph, CalibrationOptions options) {
    return open(given, List.of(), folder, graph, options);
  }

  /**
   * The same, and behind it what the model wrote itself.
   *
   * @param own each a group of its own
   */
  public static Calibration open(
      List<DataSource> given,
      List<OwnText> own,
      ModelFolder folder,
      Graph graph,
      CalibrationOptions options) {
    return open(given, own, folder, ModelInputs.of(graph), options);
  }

  /** The same for a model that takes these inputs. */
  public static Calibration open(
      List<DataSource> given,
      List<OwnText> own,
      ModelFolder folder,
      ModelInputs inputs,
      CalibrationOptions options) {
    GivenFiles found = GivenFiles.of(given);
    found.files().forEach(DataSource::requireFile);
    BatchSize size = BatchSize.choose(options.batch(), inputs);
    List<SourceGroup> groups =
        new ArrayList<>(SourceGroup.read(found.files(), inputs, folder, options));
    own.forEach(text -> groups.add(SourceGroup.of(text, inputs)));
    return new Calibration(
            groups,
            found.notices(),
            inputs,
            size,
            () -> options.tokenizer().orElseGet(folder::tokenizer))
        .requireBatches();
  }

  private Calibration requireBatches() {
    if (batches() == 0) {
      throw new BadInputException(
          "%d samples, but the model takes exactly %d at a time"
              .formatted(sum(CalibrationSource::samples), size.samples()));
    }
    return this;
  }

  /** How many runs of the model the data make. */
  public long batches() {
    return sum(source -> size.batches(source.samples()));
  }

  /** How many tokens the model is fed, padding excluded, 0 if it takes none. */
  public long tokens() {
    return sum(source -> source.tokens(size.fed(source.samples())));
  }

  /** How many samples the model is fed: blocks of text, rows of arrays. */
  public long samples() {
    return sum(source -> size.fed(source.samples()));
  }

  private long sum(ToLongFunction<CalibrationSource> count) {
    return sources().mapToLong(count).sum();
  }

  private Stream<CalibrationSource> sources() {
    return groups.stream().flatMap(group -> group.sources().stream());
  }

  public List<DataFile> files() {
    return sources().flatMap(source -> source.files().stream()).toList();
  }

  /** What the model wrote itself, by what stands for it in place of a file. */
  public List<DataFile> own() {
    return texts().filter(TokenBlocks::isOwn).flatMap(text -> text.files().stream()).toList();
  }

  private Stream<TokenBlocks> texts() {
    return sources()
        .flatMap(source -> source instanceof TokenBlocks text ? Stream.of(text) : Stream.empty());
  }

  /** The file that made tokens of text, if any of the data are text. */
  public Optional<DataFile> tokenizer() {
    return texts().anyMatch(text -> !text.isOwn())
        ? Optional.of(DataFile.of(Optional.empty(), tokenizer.get(), 0))
        : Optional.empty();
  }

  /** The files that say how chats became text, if any of the data are chats. */
  public List<DataFile> chatTemplate() {
    return texts()
        .flatMap(text -> text.templates().stream())
        .distinct()
        .map(file -> DataFile.of(Optional.empty(), file, 0))
        .toList();
  }

  /** What the user should know about how the data were read; mostly nothing. */
  public List<String> notices() {
    List<String> notices = new ArrayList<>(leftOut);
    groups.forEach(group -> notices.addAll(group.notices()));
    long left = sum(source -> source.samples() - size.fed(source.samples()));
    if (left > 0) {
      notices.add(
          "samples left out: %d, for the model takes %d at a time".formatted(left, size.samples()));
    }
    Map<String, Path> seen = new HashMap<>();
    for (DataFile file : files()) {
      Path same = seen.putIfAbsent(file.sha256(), file.path());
      if (same != null) {
        notices.add(
            "%s and %s hold the same: their tokens count twice".formatted(same, file.path()));
      }
    }
    chatTemplate().stream()
        .findFirst()
        .ifPresent(file -> notices.add("chats are rendered by the template of " + file.path()));
    notices.addAll(warnings());
    return List.copyOf(notices);
  }

  /** The notices to say again after the tokens were used: what makes them poor data. */
  public List<String> warnings() {
    return sources().flatMap(source -> source.warnings().stream()).toList();
  }

  @Override
  public Iterator<Batch> iterator() {
    return from(0);
  }

  /** The batches from this one on, counted from 0; those before are not made. */
  public Iterator<Batch> from(long first) {
    return chosen().skip(first).map(given -> given.filled(filler)).iterator();
  }

  /**
   * Batches that are spread evenly over all of them, as many as hold so many tokens, or all that
   * there are.
   */
  public List<Batch> spread(long tokens) {
    long all = batches();
    long wanted = tokens() == 0 ? all : Math.min(all, (all * tokens - 1) / tokens() + 1);
    List<Chosen> chosen = chosen().toList();
    return new AbstractList<>() {
      @Override
      public Batch get(int index) {
        return chosen.get((int) (index * all / wanted)).filled(filler);
      }

      @Override
      public int size() {
        return (int) wanted;
      }
    };
  }

  /** The same with sequences cut to {@code width} tokens: enough to try a model on. */
  public Stream<Map<String, Tensor>> excerpts(int width) {
    return chosen().map(given -> filler.fill(Excerpt.of(given.samples(), width)));
  }

  private Stream<Chosen> chosen() {
    List<Chosen> starts = new ArrayList<>();
    for (SourceGroup group : groups) {
      for (CalibrationSource source : group.sources()) {
        for (int batch = 0; batch < size.batches(source.samples()); batch++) {
          int at = batch * size.samples();
          int count = Math.min(size.samples(), source.samples() - at);
          starts.add(new Chosen(group.tag(), source, at, count));
        }
      }
    }
    return starts.stream();
  }

  /** The samples of one batch. */
  private record Chosen(Optional<String> tag, CalibrationSource source, int from, int count) {
    Map<String, Tensor> samples() {
      return source.samples(from, count);
    }

    Batch filled(FeedFiller filler) {
      return new Batch(
          filler.fill(samples()),
          tag,
          IntStream.range(from, from + count).mapToObj(source::name).toList());
    }
  }
}
