package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.Socket;
import java.net.SocketImpl;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.DatagramChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.AbstractSelector;
import java.nio.channels.spi.SelectorProvider;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The program opens no connection while it runs, and neither do its libraries: those in Java are
 * refused every socket, and native ones are watched by {@code strace} where it is installed. {@code
 * ArchitectureTest} holds the program's own classes.
 */
class NoNetworkTest {
  private static final String ATTEMPT = "asked for a socket";

  @TempDir private Path folder;

  /** The program where every socket that Java code asks for is refused, and told of in a line. */
  static final class Guarded {
    private Guarded() {}

    public static void main(String... arguments) throws Exception {
      guard();
      switch (arguments[0]) {
        case "socket" -> new Socket(InetAddress.getLoopbackAddress(), 9).close();
        case "http" ->
            HttpClient.newHttpClient()
                .send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:9/")).build(),
                    BodyHandlers.ofString());
        default -> System.exit(Main.run(arguments));
      }
    }

    @SuppressWarnings("deprecation")
    private static void guard() throws IOException {
      Socket.setSocketImplFactory(Guarded::refuse);
    }

    private static SocketImpl refuse() {
      System.err.println(ATTEMPT);
      throw new IllegalStateException(ATTEMPT);
    }
  }

  /** What all channels of the network come from. */
  public static final class NoChannels extends SelectorProvider {
    @Override
    public DatagramChannel openDatagramChannel() {
      throw refused();
    }

    @Override
    public DatagramChannel openDatagramChannel(ProtocolFamily family) {
      throw refused();
    }

    @Override
    public Pipe openPipe() {
      throw refused();
    }

    @Override
    public AbstractSelector openSelector() {
      throw refused();
    }

    @Override
    public ServerSocketChannel openServerSocketChannel() {
      throw refused();
    }

    @Override
    public SocketChannel openSocketChannel() {
      throw refused();
    }

    private static IllegalStateException refused() {
      System.err.println(ATTEMPT);
      return new IllegalStateException(ATTEMPT);
    }
  }

  /** Without protection, for {@code strace} to see. */
  static final class Dialler {
    private Dialler() {}

    public static void main(String... arguments) throws IOException {
      try (Socket socket = new Socket()) {
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), 9));
      }
    }
  }

  /** Reads a model, text and a tokenizer, runs ONNX Runtime, proves and writes. */
  private List<String> rewrite() throws IOException {
    Path data = Files.writeString(folder.resolve("data.txt"), "Once upon a time. ".repeat(50));
    return List.of(
        "rewrite",
        TwoLayers.MODEL.toString(),
        "--data",
        data.toString(),
        "--seq-len",
        "16",
        "--ratio",
        "0.5",
        "--device",
        "auto",
        "-o",
        folder.resolve("pruned.onnx").toString());
  }

  @Test
  void noJavaCodeAsksForASocket() throws Exception {
    ChildJvm child = ChildJvm.run(folder, guarded(rewrite()));

    assertThat(child.code()).as(child.said()).isZero();
    assertThat(child.said()).contains("proof ").doesNotContain(ATTEMPT);
    assertThat(folder.resolve("pruned.onnx")).exists();
  }

  @ParameterizedTest
  @ValueSource(strings = {"socket", "http"})
  void aSocketIsNoticed(String how) throws Exception {
    ChildJvm child = ChildJvm.run(folder, guarded(List.of(how)));

    assertThat(child.code()).isNotZero();
    assertThat(child.said()).contains(ATTEMPT);
  }

  @Tag("exhaustive")
  @Test
  void noNativeCodeConnects() throws Exception {
    Path trace = folder.resolve("trace");
    assumeThat(connections(trace, java(Dialler.class, List.of())))
        .as("strace sees a connection")
        .isNotEmpty();

    assertThat(connections(trace, java(Main.class, rewrite()))).isEmpty();
    assertThat(folder.resolve("pruned.onnx")).exists();
  }

  /** System calls that reach out to an address of the internet, this machine's included. */
  private List<String> connections(Path trace, List<String> command) throws Exception {
    Files.deleteIfExists(trace);
    List<String> watched =
        new ArrayList<>(
            List.of(
                "strace",
                "-f",
                "-e",
                "trace=connect,sendto,sendmsg,sendmmsg",
                "-o",
                trace.toString()));
    watched.addAll(command);
    try {
      ChildJvm.run(folder, watched);
    } catch (IOException e) {
      return List.of();
    }
    return Files.exists(trace)
        ? Files.readAllLines(trace).stream().filter(line -> line.contains("AF_INET")).toList()
        : List.of();
  }

  private static List<String> java(Class<?> main, List<String> arguments) {
    return ChildJvm.command(List.of(), main, arguments);
  }

  private static List<String> guarded(List<String> arguments) {
    String channels = "-Djava.nio.channels.spi.SelectorProvider=" + NoChannels.class.getName();
    return ChildJvm.command(List.of(channels), Guarded.class, arguments);
  }
}
