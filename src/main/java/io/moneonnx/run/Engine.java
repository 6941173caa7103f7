package io.moneonnx.run;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.providers.OrtCUDAProviderOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** ONNX Runtime itself: loaded once a process, CUDA only when it is wanted. */
final class Engine {
  /** Where ONNX Runtime looks for its libraries before it unpacks them again. */
  private static final String NATIVE_PATH = "onnxruntime.native.path";

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
    Natives cached = Natives.ofThisMachine();
    String chosen = System.getProperty(NATIVE_PATH);
    if (chosen != null) {
      return new Natives(Path.of(chosen), cached.platform());
    }
    if (!cached.supported()) {
      throw new RuntimeFailureException(
          "this build has no ONNX Runtime for "
              + cached.platform()
              + "; the build for CPUs (mvn -Pcpu) knows more platforms");
    }
    try {
      cached.unpackCore();
      System.setProperty(NATIVE_PATH, cached.folder().toString());
      inOurCache = true;
    } catch (IOException e) {
      // No place to keep them: ONNX Runtime unpacks them to the temporary folder by itself.
    }
    return cached;
  }

  /** Why CUDA need not even be tried, if so: asks files, not the runtime, and costs nothing. */
  static Optional<String> cudaObstacle() {
    environment();
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

  static OrtCUDAProviderOptions cuda(int index) throws OrtException {
    environment();
    if (inOurCache) {
      try {
        natives.unpackCuda();
      } catch (IOException e) {
        throw new RuntimeFailureException(
            "cannot unpack ONNX Runtime's CUDA libraries: " + e.getMessage(), e);
      }
    }
    OrtCUDAProviderOptions options = new OrtCUDAProviderOptions(index);
    // TF32 keeps ten bits of a float's 23: too few to compare graphs by.
    options.add("use_tf32", "0");
    return options;
  }

  private static String rootMessage(Throwable thrown) {
    Throwable root = thrown;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root.getMessage();
  }
}
