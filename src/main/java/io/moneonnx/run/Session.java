package io.moneonnx.run;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.InMemory;
import io.moneonnx.io.OnnxWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A model, loaded and ready to run. One after another may be opened; closing frees everything. */
public final class Session implements AutoCloseable {
  private static final String DATA_FOLDER = "session.model_external_initializers_file_folder_path";

  /** A model of opset 13: {@code g (float x) => (float y) { y = Identity (x) }}. */
  private static final byte[] SMALLEST =
      HexFormat.of()
          .parseHex(
              "08083a2f0a100a017812017922084964656e746974791201675a0b0a01781206"
                  + "0a0408011200620b0a017912060a040801120042040a00100d");

  /** Threads that wait busily after a run would take the cores that read what it put out. */
  private static final String STOP_SPINNING = "session.force_spinning_stop";

  private final String name;
  private final OrtSession session;
  private final Feeds apart;
  private final RunOptions options;
  private final InputSignature inputs;
  private final Device device;

  private Session(String name, OrtSession session, Feeds apart, Device device, RunOptions options)
      throws OrtException {
    this.name = name;
    this.session = session;
    this.apart = apart;
    this.options = options;
    this.inputs = InputSignature.of(name, session.getInputInfo());
    this.device = device;
  }

  /**
   * Loads a model file, with the data files beside it.
   *
   * @throws RuntimeFailureException if ONNX Runtime does not take it, or the device does not work
   */
  public static Session open(Path model, RunOptions options) {
    return open(
        model.toString(),
        Source.of((environment, settings) -> environment.createSession(model.toString(), settings)),
        options);
  }

  /**
   * Loads a model from memory. Unlike one from a file, it reserves no memory for all values at once
   * when shapes repeat: that came on top of what runs had taken before, a tenth of the whole
   * ({@code bench/observe.sh}).
   *
   * @param name what messages call the model
   * @param folder where the model's external data lies
   * @throws BadInputException if what is neither there nor off the heap passes 2 GiB
   */
  public static Session open(String name, Model model, Path folder, RunOptions options) {
    InMemory given = OnnxWriter.inMemory(model, folder);
    return open(
        name,
        new Source(
            (environment, settings) -> {
              settings.addConfigEntry(DATA_FOLDER, folder.toAbsolutePath().toString());
              settings.setMemoryPatternOptimization(false);
              return environment.createSession(given.bytes(), settings);
            },
            given.apart()),
        options);
  }

  private static Session open(String name, Source source, RunOptions options) {
    try {
      if (options.device() instanceof Device.Auto) {
        return openOnAnyDevice(name, source, options);
      }
      requireDevice(options.device());
      return openOn(options.device(), name, source, options);
    } catch (OrtException e) {
      throw failure(name, e);
    }
  }

  /**
   * Checks before any work what can be known of a device without trying it.
   *
   * @throws RuntimeFailureException if the device is surely not there
   */
  public static void requireDevice(Device device) {
    Optional<String> obstacle =
        device instanceof Device.Cuda
            ? Engine.cudaObstacle()
            : device instanceof Device.TensorRt ? Engine.tensorRtObstacle() : Optional.empty();
    obstacle.ifPresent(why -> refuse(device, why));
  }

  /** ONNX Runtime and the kinds of devices, a line each; nothing is loaded. */
  public static List<String> facts() {
    return Engine.facts();
  }

  /** What {@code wanted} comes to: where CUDA may be there, it is tried on next to nothing. */
  public static Device expected(Device wanted) {
    if (!(wanted instanceof Device.Auto)) {
      return wanted;
    }
    Device cuda = new Device.Cuda(0);
    return Engine.cudaIsLikely() && works(cuda) ? cuda : new Device.Cpu();
  }

  private static boolean works(Device device) {
    try (Session session =
        openOn(
            device,
            "",
            Source.of((engine, settings) -> engine.createSession(SMALLEST, settings)),
            new RunOptions(device, 1, notice -> {}))) {
      return session.device().equals(device);
    } catch (OrtException | RuntimeFailureException e) {
      return false;
    }
  }

  private static Session openOnAnyDevice(String name, Source source, RunOptions options)
      throws OrtException {
    Optional<String> obstacle = Engine.cudaObstacle();
    if (obstacle.isEmpty()) {
      try {
        return openOn(new Device.Cuda(0), name, source, options);
      } catch (OrtException | RuntimeFailureException e) {
        obstacle = Optional.of(oneLine(e));
      }
    }
    Session onCpu = openOn(new Device.Cpu(), name, source, options);
    obstacle.ifPresent(why -> options.notices().accept("running on the CPU: " + why));
    return onCpu;
  }

  private static void refuse(Device device, String why) {
    String needs =
        device instanceof Device.Cuda
            ? "CUDA needs the default build and an NVIDIA driver"
            : "TensorRT needs the default build, an NVIDIA driver and TensorRT's own libraries";
    throw new RuntimeFailureException("device %s: %s; %s".formatted(device, why, needs));
  }

  private static Session openOn(Device device, String name, Source source, RunOptions options)
      throws OrtException {
    OrtEnvironment environment = Engine.environment();
    Feeds apart = Feeds.of(source.apart());
    try (SessionOptions settings = new SessionOptions()) {
      settings.setIntraOpNumThreads(options.threads());
      settings.addConfigEntry(STOP_SPINNING, "1");
      if (device instanceof Device.Cuda cuda) {
        Engine.addCuda(settings, cuda.index());
      } else if (device instanceof Device.TensorRt tensorRt) {
        Engine.addTensorRt(settings, tensorRt.index());
      }
      if (!apart.tensors().isEmpty()) {
        settings.addExternalInitializers(new HashMap<>(apart.tensors()));
      }
      return NativeCalls.call(
          () ->
              new Session(
                  name, source.model().create(environment, settings), apart, device, options));
    } catch (OrtException | RuntimeException e) {
      apart.close();
      throw e;
    }
  }

  /** The version of ONNX Runtime. */
  public static String runtimeVersion() {
    return Engine.environment().getVersion();
  }

  /** The device in use: never {@link Device.Auto}. */
  public Device device() {
    return device;
  }

  /** Names of what must be fed, in the model's order. */
  public List<String> inputs() {
    return inputs.names();
  }

  /** Names of what can be asked for, in the model's order. */
  public List<String> outputs() {
    return List.copyOf(session.getOutputNames());
  }

  /**
   * Runs the model once.
   *
   * @param feeds a tensor for each input, by name; direct buffers are read where they are
   * @param outputs which outputs to compute
   * @return those outputs in the order asked for
   * @throws BadInputException if the feeds do not fit the model's inputs
   * @throws RuntimeFailureException if ONNX Runtime fails
   */
  public Map<String, Tensor> run(Map<String, Tensor> feeds, Collection<String> outputs) {
    inputs.check(feeds);
    try {
      return NativeCalls.run(options -> run(feeds, new LinkedHashSet<>(outputs), options));
    } catch (OrtException e) {
      throw failure(name, e);
    }
  }

  /**
   * Runs the model once and lets the results go.
   *
   * @return how long that took, in nanoseconds, without what it takes to hand the feeds over
   */
  public long nanos(Map<String, Tensor> feeds, Collection<String> outputs) {
    inputs.check(feeds);
    try {
      return NativeCalls.run(options -> nanos(feeds, new LinkedHashSet<>(outputs), options));
    } catch (OrtException e) {
      throw failure(name, e);
    }
  }

  private long nanos(Map<String, Tensor> feeds, Set<String> outputs, OrtSession.RunOptions options)
      throws OrtException {
    try (Feeds fed = Feeds.of(feeds)) {
      long start = System.nanoTime();
      OrtSession.Result result = session.run(fed.tensors(), outputs, options);
      long end = System.nanoTime();
      result.close();
      return end - start;
    }
  }

  private Map<String, Tensor> run(
      Map<String, Tensor> feeds, Set<String> outputs, OrtSession.RunOptions options)
      throws OrtException {
    Map<String, Tensor> results = new LinkedHashMap<>();
    try (Feeds fed = Feeds.of(feeds);
        OrtSession.Result result = session.run(fed.tensors(), outputs, options)) {
      for (Map.Entry<String, OnnxValue> output : result) {
        results.put(output.getKey(), copy(output.getKey(), output.getValue()));
      }
    }
    return results;
  }

  private Tensor copy(String output, OnnxValue value) {
    if (!(value instanceof OnnxTensor tensor)) {
      throw new BadInputException(name + ": output '" + output + "' is no tensor");
    }
    List<Long> dims = Arrays.stream(tensor.getInfo().getShape()).boxed().toList();
    ElementType type = ElementTypes.of(tensor.getInfo());
    if (type == ElementType.STRING) {
      throw new BadInputException(name + ": output '" + output + "' holds strings");
    }
    return new Tensor.Inline(type, dims, tensor.getByteBuffer());
  }

  @Override
  public void close() {
    options.tellOfBreach();
    try {
      session.close();
      apart.close();
    } catch (OrtException e) {
      throw failure(name, e);
    }
  }

  private static RuntimeFailureException failure(String name, OrtException e) {
    return new RuntimeFailureException(name + ": " + oneLine(e), e);
  }

  /** The runtime's own words, without its error codes and places in its source. */
  private static String oneLine(Exception e) {
    return e.getMessage()
        .replaceFirst("^Error code - \\w+ - message: ", "")
        .replaceFirst("^/onnxruntime_src/.*? \\[ONNXRuntimeError\\] : \\d+ : \\w+ : ", "")
        .replaceFirst("^/onnxruntime_src/\\S+:\\d+ [^(]*\\([^()]*\\)( const)? ", "")
        .strip()
        .replaceAll("\\s*\\n\\s*", "; ");
  }

  /**
   * Where a session's model comes from.
   *
   * @param apart initializers that it reads where they are as long as it is open
   */
  private record Source(Create model, Map<String, Tensor> apart) {
    static Source of(Create model) {
      return new Source(model, Map.of());
    }
  }

  @FunctionalInterface
  private interface Create {
    OrtSession create(OrtEnvironment environment, SessionOptions settings) throws OrtException;
  }
}
