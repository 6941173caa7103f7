package io.moneonnx.run;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.providers.OrtCUDAProviderOptions;
import ai.onnxruntime.providers.OrtTensorRTProviderOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** ONNX Runtime itself: loaded once a process, CUDA only when it is wanted. */
final class Engine {
  /** Where ONNX Runtime looks for its libraries before it unpacks them again. */
  private static final String NATIVE_PATH = "onnxruntime.native.path";

  /**
   * How CUDA runs graphs (<a
   * href="https://onnxruntime.ai/docs/execution-providers/CUDA-ExecutionProvider.html">options</a>).
   *
   * <ul>
   *   <li>{@code use_tf32} off: TF32 keeps ten bits of a float's 23, too few to compare graphs by.
   *   <li>{@code arena_extend_strategy}: memory grows by what is asked for, not to the next power
   *       of two. Weights and the rows of experts are large and of many sizes, and a model that
   *       takes nearly all of a GPU would not load otherwise.
   *   <li>{@code do_copy_in_default_stream} on: copies wait for the kernels before them. Another
   *       stream could race with them, and there is next to nothing to copy: tokens go in, sums
   *       come out.
   * </ul>
   */
  private static final Map<String, String> CUDA_OPTIONS =
      Map.of(
          "use_tf32", "0",
          "arena_extend_strategy", "kSameAsRequested",
          "do_copy_in_default_stream", "1");

  private static final String DRIVER_FOUND = "NVIDIA driver found";

  private static Natives natives;
  private static boolean inOurCache;
  private static OrtEnvironment environment;

  private Engine() {}

  static synchronized OrtEnvironment environment() {
    if (environment == null) {
      environment = load();
    }
    return environment;
  }

  private static OrtEnvironment load() {
    natives = locate();
    try {
      // Errors come as exceptions: the log would only say them twice.
      OrtEnvironment loaded =
          OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, "mone-onnx");
      // Official builds report to Microsoft. This stops all but what is sent while they load;
      // ORT_DISABLE_TELEMETRY=1 in the environment stops that too.
      loaded.setTelemetry(false);
      return loaded;
    } catch (OrtException e) {
      throw new RuntimeFailureException("ONNX Runtime does not start: " + e.getMessage(), e);
    } catch (LinkageError e) {
      throw new RuntimeFailureException("ONNX Runtime does not load: " + rootMessage(e), e);
    }
  }

  /** A folder that the user chose is left as it is. */
  private static Natives locate() {
    Natives found = find();
    if (System.getProperty(NATIVE_PATH) != null) {
      return found;
    }
    if (!found.supported()) {
      throw new RuntimeFailureException(unsupported(found));
    }
    try {
      found.unpackCore();
      System.setProperty(NATIVE_PATH, found.folder().toString());
      inOurCache = true;
    } catch (IOException e) {
      // No place to keep them: ONNX Runtime unpacks them to the temporary folder by itself.
    }
    return found;
  }

  private static Natives find() {
    Natives cached = Natives.ofThisMachine();
    String chosen = System.getProperty(NATIVE_PATH);
    return chosen == null ? cached : new Natives(Path.of(chosen), cached.platform());
  }

  private static String unsupported(Natives cached) {
    return "this build has no ONNX Runtime for "
        + cached.platform()
        + "; the build for CPUs (mvn -Pcpu) knows more platforms";
  }

  /**
   * The runtime, and what can be said of each kind of device before anything is loaded or unpacked:
   * a line each, for people who report a problem.
   */
  static List<String> facts() {
    Natives found = find();
    if (System.getProperty(NATIVE_PATH) == null && !found.supported()) {
      return List.of(unsupported(found));
    }
    String place =
        System.getProperty(NATIVE_PATH) == null ? found.platform() : found.folder().toString();
    return List.of(
        "ONNX Runtime %s (%s, %s)".formatted(Natives.version(), found.build(), place),
        "device cpu",
        "device cuda: " + cudaObstacle(found).orElse(DRIVER_FOUND),
        "device tensorrt: " + tensorRtObstacle(found).orElse(DRIVER_FOUND));
  }

  /** Why CUDA need not even be tried, if so: asks files, not the runtime, and costs nothing. */
  static Optional<String> cudaObstacle() {
    environment();
    return cudaObstacle(natives);
  }

  private static Optional<String> cudaObstacle(Natives natives) {
    if (!natives.haveCuda()) {
      return Optional.of("this build has ONNX Runtime for CPUs only");
    }
    return driverPresent() ? Optional.empty() : Optional.of("no NVIDIA driver found");
  }

  /** Whether CUDA is worth trying; without a driver that is told before anything is loaded. */
  static boolean cudaIsLikely() {
    return driverPresent() && cudaObstacle().isEmpty();
  }

  private static boolean driverPresent() {
    Stream<Path> traces =
        System.getProperty("os.name").startsWith("Windows")
            ? Stream.of(Path.of(System.getenv("SystemRoot"), "System32", "nvcuda.dll"))
            : Stream.of("/dev/nvidiactl", "/proc/driver/nvidia", "/dev/dxg").map(Path::of);
    return traces.anyMatch(Files::exists);
  }

  /** The same of TensorRT, behind which CUDA stands. */
  static Optional<String> tensorRtObstacle() {
    environment();
    return tensorRtObstacle(natives);
  }

  private static Optional<String> tensorRtObstacle(Natives natives) {
    return cudaObstacle(natives)
        .or(
            () ->
                natives.haveTensorRt()
                    ? Optional.empty()
                    : Optional.of("this ONNX Runtime has no TensorRT provider"));
  }

  /** Takes a graph to a GPU; the first of several providers has the first say. */
  static void addCuda(SessionOptions settings, int index) throws OrtException {
    environment();
    unpack("CUDA", Natives::unpackCuda);
    try (OrtCUDAProviderOptions options = new OrtCUDAProviderOptions(index)) {
      for (Map.Entry<String, String> option : CUDA_OPTIONS.entrySet()) {
        options.add(option.getKey(), option.getValue());
      }
      settings.addCUDA(options);
    }
  }

  /**
   * Takes to TensorRT what it can compute, in float32 where the graph does, and the rest to CUDA.
   */
  static void addTensorRt(SessionOptions settings, int index) throws OrtException {
    environment();
    unpack("TensorRT", Natives::unpackTensorRt);
    try (OrtTensorRTProviderOptions options = new OrtTensorRTProviderOptions(index)) {
      settings.addTensorrt(options);
    }
    addCuda(settings, index);
  }

  /** Unpacks a part of the natives. */
  @FunctionalInterface
  private interface Part {
    void unpack(Natives from) throws IOException;
  }

  private static void unpack(String name, Part part) {
    if (inOurCache) {
      try {
        part.unpack(natives);
      } catch (IOException e) {
        throw new RuntimeFailureException(
            "cannot unpack ONNX Runtime's %s libraries: %s".formatted(name, e.getMessage()), e);
      }
    }
  }

  private static String rootMessage(Throwable thrown) {
    Throwable root = thrown;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root.getMessage();
  }
}
