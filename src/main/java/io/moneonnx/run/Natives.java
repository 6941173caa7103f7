package io.moneonnx.run;

import io.moneonnx.graph.HeldFolder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/**
 * ONNX Runtime's native libraries, unpacked from its jar into a folder that outlives the process.
 * Left to itself, the runtime unpacks them at every start, 582 MB of them where CUDA is tried.
 *
 * @param platform operating system and architecture as the jar spells them: {@code linux-x64}
 */
record Natives(Path folder, String platform) {
  private static final String RESOURCES = "/ai/onnxruntime/native/";
  private static final String CUDA = "onnxruntime_providers_cuda";
  private static final String UNPACKING = "unpacking-";
  private static final String TENSORRT = "onnxruntime_providers_tensorrt";

  /** The libraries for this machine, in this user's cache, apart for each build and version. */
  static Natives ofThisMachine() {
    String platform = platform(System.getProperty("os.name"), System.getProperty("os.arch"));
    String build = build(platform) + "-" + version();
    return new Natives(cache().resolve(build).resolve(platform), platform);
  }

  /** The version of ONNX Runtime. */
  static String version() {
    return ai.onnxruntime.OrtSession.class.getPackage().getImplementationVersion();
  }

  private static String build(String platform) {
    return inJar(platform, CUDA) ? "onnxruntime_gpu" : "onnxruntime";
  }

  /** What the jar of ONNX Runtime is called: one has CUDA's provider. */
  String build() {
    return build(platform);
  }

  private static Path cache() {
    String configured = System.getenv("XDG_CACHE_HOME");
    Path caches =
        configured == null || configured.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(configured);
    return caches.resolve("mone-onnx");
  }

  static String platform(String osName, String osArch) {
    String name = osName.toLowerCase(Locale.ROOT);
    String os = name.contains("mac") ? "osx" : name.contains("win") ? "win" : "linux";
    return switch (osArch.toLowerCase(Locale.ROOT)) {
      case "amd64", "x86_64" -> os + "-x64";
      case "arm64" -> os + "-aarch64";
      default -> os + "-" + osArch;
    };
  }

  /** True if the jar has any libraries for this machine. */
  boolean supported() {
    return inJar(platform, "onnxruntime");
  }

  /** True for the default build; false for the build of profile {@code cpu}. */
  boolean haveCuda() {
    return have(CUDA);
  }

  /** True for the default build, and for a folder of the user's that has it. */
  boolean haveTensorRt() {
    return have(TENSORRT);
  }

  private boolean have(String library) {
    return inJar(platform, library) || Files.exists(folder.resolve(System.mapLibraryName(library)));
  }

  /** Unpacks what every session needs: 30 MB, once. */
  void unpackCore() throws IOException {
    unpack("onnxruntime");
    unpack("onnxruntime4j_jni");
    unpack("onnxruntime_providers_shared");
  }

  /** Unpacks the CUDA provider: 582 MB, once. */
  void unpackCuda() throws IOException {
    unpack(CUDA);
  }

  /** Unpacks what hands graphs to TensorRT, 1 MB; TensorRT itself has to be installed. */
  void unpackTensorRt() throws IOException {
    unpack(TENSORRT);
  }

  /**
   * A library appears under its name only when it is complete and on the disk: others may be
   * waiting for it, and nothing looks at it again.
   */
  private void unpack(String library) throws IOException {
    Path target = folder.resolve(System.mapLibraryName(library));
    if (Files.exists(target) || !inJar(platform, library)) {
      return;
    }
    Files.createDirectories(folder);
    HeldFolder.removeAbandoned(folder, UNPACKING, left -> {});
    try (HeldFolder held = HeldFolder.in(folder, UNPACKING);
        InputStream packed = Natives.class.getResourceAsStream(resource(platform, library))) {
      Path partial = held.path().resolve(target.getFileName());
      Files.copy(packed, partial);
      try (FileChannel written = FileChannel.open(partial, StandardOpenOption.WRITE)) {
        written.force(true);
      }
      Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  private static boolean inJar(String platform, String library) {
    return Natives.class.getResource(resource(platform, library)) != null;
  }

  private static String resource(String platform, String library) {
    return RESOURCES + platform + "/" + System.mapLibraryName(library);
  }
}
