package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** The arrays of a {@code .npz} or {@code .npy} file; each row of the leading axis is a sample. */
final class NamedArrays implements CalibrationSource {
  private static final String MASK = "attention_mask";

  private final Optional<String> tag;
  private final Path path;
  private final ModelInputs inputs;
  private final Map<String, Tensor.Inline> arrays = new LinkedHashMap<>();
  private int samples;

  private NamedArrays(Optional<String> tag, Path path, ModelInputs inputs) {
    this.tag = tag;
    this.path = path;
    this.inputs = inputs;
  }

  /**
   * Reads a file and checks it against the model's inputs. A single array that nobody named is
   * taken for the input that needs data, where there is only one.
   *
   * @param most samples that are enough
   */
  static NamedArrays read(Optional<String> tag, Path path, ModelInputs inputs, int most) {
    NamedArrays read = new NamedArrays(tag, path, inputs);
    Map<String, Tensor.Inline> found = new LinkedHashMap<>(ArrayFile.read(path));
    found.keySet().removeAll(inputs.ignored());
    found.forEach(
        (name, array) -> read.add(name, array, found.size() == 1 && isNameless(path, name)));
    new FeedFiller(inputs).requireEnough(read.arrays.keySet());
    read.samples = Math.min(read.samples, most);
    return read;
  }

  /** In a {@code .npy} file, or as NumPy calls what it was given without a name. */
  private static boolean isNameless(Path path, String name) {
    return path.toString().endsWith(".npy") || name.equals("arr_0");
  }

  private void add(String name, Tensor.Inline array, boolean isNameless) {
    Value input = input(name, isNameless);
    requireShape(name, array, input);
    requireSameCount(name, array);
    Tensor.Inline converted = converted(name, array, input);
    if (inputs.tokens().filter(input::equals).isPresent()) {
      requireTokens(name, converted);
    }
    arrays.put(input.name(), converted);
  }

  private Value input(String name, boolean isNameless) {
    List<Value> wanted = inputs.wanted();
    return inputs
        .find(name)
        .or(() -> wanted.stream().filter(input -> isNameless && wanted.size() == 1).findFirst())
        .orElseThrow(() -> bad(name, "is no input of the model; its inputs are " + inputs.text()));
  }

  private void requireShape(String name, Tensor.Inline array, Value input) {
    boolean fits = array.rank() > 0 && input.shape().map(s -> fits(array.dims(), s)).orElse(true);
    if (!fits) {
      throw bad(
          name,
          "has shape %s, the model's input is %s".formatted(array.dims(), ModelInputs.text(input)));
    }
  }

  /**
   * The leading dimension counts samples, of which as many are fed at a time as the model takes.
   */
  private static boolean fits(List<Long> dims, List<Dimension> shape) {
    if (dims.size() != shape.size()) {
      return false;
    }
    for (int axis = 1; axis < shape.size(); axis++) {
      if (shape.get(axis).isFixed() && shape.get(axis).size() != dims.get(axis)) {
        return false;
      }
    }
    return true;
  }

  private void requireSameCount(String name, Tensor.Inline array) {
    long count = array.dims().get(0);
    if (count == 0) {
      throw bad(name, "holds no samples");
    }
    if (!arrays.isEmpty() && count != samples) {
      throw bad(
          name,
          "holds %d samples, '%s' holds %d"
              .formatted(count, arrays.keySet().iterator().next(), samples));
    }
    samples = Math.toIntExact(count);
  }

  private Tensor.Inline converted(String name, Tensor.Inline array, Value input) {
    ElementType type = input.type().orElse(array.type());
    return Elements.convert(array, type)
        .orElseThrow(
            () ->
                bad(
                    name,
                    "is %s, which does not become %s, the type of the model's input, without loss"
                        .formatted(array.type().text(), type.text())));
  }

  private void requireTokens(String name, Tensor.Inline array) {
    if (array.elements() == 0) {
      throw bad(name, "has shape %s: there is no token in it".formatted(array.dims()));
    }
    long known = inputs.vocabulary().orElse(Long.MAX_VALUE);
    for (long id : array.toLongs()) {
      if (id < 0 || id >= known) {
        String wanted = inputs.vocabulary().isPresent() ? "0 to " + (known - 1) : "0 or more";
        throw bad(name, "holds the token id %d, expected %s".formatted(id, wanted));
      }
    }
  }

  private BadInputException bad(String name, String what) {
    return new BadInputException("%s: array '%s' %s".formatted(path, name, what));
  }

  @Override
  public int samples() {
    return samples;
  }

  @Override
  public long tokens(int count) {
    return ids().map(ids -> shown(ids, count).count()).orElse(0L);
  }

  private Optional<Tensor.Inline> ids() {
    return inputs.tokens().map(Value::name).map(arrays::get);
  }

  /** Those that the mask does not hide, where one is given for just these tokens. */
  private LongStream shown(Tensor.Inline ids, int count) {
    Tensor.Inline mask = arrays.get(MASK);
    long[] tokens = rows(ids, 0, count).toLongs();
    if (mask == null || !mask.dims().equals(ids.dims()) || mask.type().isFloating()) {
      return Arrays.stream(tokens);
    }
    long[] shown = rows(mask, 0, count).toLongs();
    return IntStream.range(0, tokens.length).filter(i -> shown[i] != 0).mapToLong(i -> tokens[i]);
  }

  @Override
  public List<DataFile> files() {
    return List.of(DataFile.of(tag, path, tokens(samples)));
  }

  @Override
  public String name(int sample) {
    return "sample %d of %s".formatted(sample, path);
  }

  @Override
  public List<String> notices() {
    return List.of();
  }

  @Override
  public List<String> warnings() {
    PoorTokens poor = new PoorTokens(OptionalLong.empty());
    ids().ifPresent(ids -> shown(ids, samples).forEach(poor::add));
    return poor.warnings(path.toString());
  }

  @Override
  public Map<String, Tensor> samples(int from, int count) {
    Map<String, Tensor> rows = new LinkedHashMap<>();
    arrays.forEach((name, array) -> rows.put(name, rows(array, from, count)));
    return rows;
  }

  private static Tensor rows(Tensor.Inline array, int from, int count) {
    List<Long> dims = new ArrayList<>(array.dims());
    int rowBytes = Math.toIntExact(array.byteSize() / dims.get(0));
    dims.set(0, (long) count);
    return new Tensor.Inline(
        array.type(), dims, array.bytes().slice(from * rowBytes, count * rowBytes));
  }
}
