package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Text as blocks of tokens, packed as published: documents joined, cut into blocks of one length,
 * no padding, the rest left out.
 */
final class TokenBlocks implements CalibrationSource {
  private final Value input;
  private final int[] tokens;
  private final int length;
  private final List<DataFile> files;
  private final List<Path> templates;
  private final List<String> notices;
  private final List<String> warnings;
  private final boolean isOwn;

  private TokenBlocks(
      Value input,
      int[] tokens,
      int length,
      List<DataFile> files,
      List<Path> templates,
      List<String> notices,
      List<String> warnings,
      boolean isOwn) {
    this.input = input;
    this.tokens = tokens;
    this.length = length;
    this.files = List.copyOf(files);
    this.templates = List.copyOf(templates);
    this.notices = List.copyOf(notices);
    this.warnings = List.copyOf(warnings);
    this.isOwn = isOwn;
  }

  /**
   * Tokenises files, all of them as one sequence, as far as the blocks asked for need them.
   *
   * @param tag what the user calls these files, if anything
   * @param most blocks that are enough
   */
  static TokenBlocks read(
      Optional<String> tag,
      List<Path> paths,
      ModelInputs inputs,
      ModelFolder folder,
      CalibrationOptions options,
      int most) {
    Value input = inputs.tokensFor(paths.get(0));
    new FeedFiller(inputs).requireEnough(Set.of(input.name()));
    int length = SequenceLength.choose(options.sequenceLength(), inputs, folder);
    int limit = (int) Math.min((long) length * most, Integer.MAX_VALUE - 8);
    List<DataFile> files = new ArrayList<>();
    try (TextTokenizer tokenizer =
        TextTokenizer.open(options.tokenizer().orElseGet(folder::tokenizer))) {
      ChatTemplate template = new ChatTemplate(tokenizer.file());
      TokenPacker packer = new TokenPacker(tokenizer, inputs.vocabulary(), limit);
      for (Path path : paths) {
        if (!packer.isFull()) {
          files.add(DataFile.of(tag, path, read(path, options, template, packer)));
        }
      }
      int[] tokens = packer.tokens();
      List<String> warnings = warnings(files, tokens, tokenizer.unknown());
      boolean isFixed = SequenceLength.fixed(inputs).isPresent();
      return cut(input, tokens, length, isFixed, files, template.used(), warnings);
    }
  }

  /** Text that the model wrote itself; each of its windows is a block. */
  static TokenBlocks of(OwnText text, ModelInputs inputs) {
    DataFile file = text.file();
    Value input = inputs.tokensFor(file.path());
    int[] tokens = text.windows().stream().flatMap(List::stream).mapToInt(Long::intValue).toArray();
    int length = text.windows().get(0).size();
    List<String> warnings = warnings(List.of(file), tokens, OptionalLong.empty());
    return new TokenBlocks(
        input, tokens, length, List.of(file), List.of(), List.of(), warnings, true);
  }

  private static int read(
      Path path, CalibrationOptions options, ChatTemplate template, TokenPacker packer) {
    int before = packer.size();
    packer.begin(path);
    new TextFile(path, options.field(), template).readInto(packer);
    if (packer.size() == before) {
      throw new BadInputException(path + " holds no text");
    }
    return packer.size() - before;
  }

  private static TokenBlocks cut(
      Value input,
      int[] tokens,
      int length,
      boolean isFixed,
      List<DataFile> files,
      List<Path> templates,
      List<String> warnings) {
    if (tokens.length >= length) {
      return new TokenBlocks(input, tokens, length, files, templates, List.of(), warnings, false);
    }
    String few =
        "%s: %d tokens, less than one block of %d".formatted(name(files), tokens.length, length);
    if (isFixed) {
      throw new BadInputException(few + ", and the model takes no shorter ones");
    }
    return new TokenBlocks(
        input,
        tokens,
        tokens.length,
        files,
        templates,
        List.of(few + ": taken as it is"),
        warnings,
        false);
  }

  private static List<String> warnings(List<DataFile> files, int[] tokens, OptionalLong unknown) {
    PoorTokens poor = new PoorTokens(unknown);
    Arrays.stream(tokens).forEach(poor::add);
    return poor.warnings(name(files));
  }

  private static String name(List<DataFile> files) {
    return SourceGroup.name(files.get(0).tag(), files.stream().map(DataFile::path).toList());
  }

  /** The files that say how their chats are rendered, if there are any. */
  List<Path> templates() {
    return templates;
  }

  /** True where no tokenizer made them. */
  boolean isOwn() {
    return isOwn;
  }

  @Override
  public int samples() {
    return tokens.length / length;
  }

  @Override
  public long tokens(int count) {
    return (long) count * length;
  }

  @Override
  public List<DataFile> files() {
    return files;
  }

  @Override
  public List<String> notices() {
    return notices;
  }

  @Override
  public List<String> warnings() {
    return warnings;
  }

  @Override
  public Map<String, Tensor> samples(int from, int count) {
    long[] ids =
        Arrays.stream(tokens, from * length, (from + count) * length).asLongStream().toArray();
    ElementType type = input.type().orElseThrow();
    return Map.of(input.name(), Elements.ofLongs(type, List.of((long) count, (long) length), ids));
  }

  @Override
  public String name(int sample) {
    long from = (long) sample * length;
    List<String> in = new ArrayList<>();
    long start = 0;
    for (DataFile file : files) {
      if (start < from + length && start + file.tokens() > from) {
        in.add(file.path().toString());
      }
      start += file.tokens();
    }
    return "sequence %d of %s".formatted(sample, String.join(" and ", in));
  }
}
