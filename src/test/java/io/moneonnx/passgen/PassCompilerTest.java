package io.moneonnx.passgen;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PassCompilerTest {
  private static final String SCALED =
      """
      // Multiply by a <small> constant.
      pattern Scaled : Step
          (x, const scale [1], bias?) => (y)
          through Cast
      {
          z = Mul (x, scale) | x2
          x2 = Softmax <axis = -1 | 1> (x)
          y = Gemm <transB = 1, alpha = @alpha> (z, _, bias?)
      }
      """;

  @TempDir private Path folder;
  private Path passes;
  private Path generated;

  @BeforeEach
  void writeAPattern() throws IOException {
    passes = Files.createDirectory(folder.resolve("passes"));
    generated = folder.resolve("generated");
    Files.writeString(passes.resolve("Scaled.pattern"), SCALED);
    Files.writeString(passes.resolve("README.md"), "Not a pattern.");
  }

  private Path java(String type) {
    return generated.resolve("io/moneonnx/passes").resolve(type + ".java");
  }

  @Test
  void writesARecordOfTypedCaptures() throws IOException {
    PassCompiler.compile(passes, generated);
    assertThat(java("Scaled")).hasContent(resource("Scaled.java.txt"));
  }

  @Test
  void writesASealedInterfaceForTheKind() throws IOException {
    PassCompiler.compile(passes, generated);
    assertThat(java("Step")).hasContent(resource("Step.java.txt"));
  }

  @Test
  void leavesAnUnchangedFileUntouched() throws IOException {
    PassCompiler.compile(passes, generated);
    FileTime before = FileTime.fromMillis(0);
    Files.setLastModifiedTime(java("Scaled"), before);
    PassCompiler.compile(passes, generated);
    assertThat(Files.getLastModifiedTime(java("Scaled"))).isEqualTo(before);
  }

  @Test
  void deletesWhatNoPatternAsksForAnyMore() throws IOException {
    PassCompiler.compile(passes, generated);
    Files.delete(passes.resolve("Scaled.pattern"));
    PassCompiler.compile(passes, generated);
    assertThat(java("Scaled")).doesNotExist();
    assertThat(java("Step")).doesNotExist();
  }

  @Test
  void writesNothingWhenAPatternIsWrong() throws IOException {
    Files.writeString(passes.resolve("Wrong.pattern"), "pattern Wrong");
    assertThatThrownBy(() -> PassCompiler.compile(passes, generated))
        .hasMessageStartingWith("passes/Wrong.pattern:1:14: expected ':', found the end");
    assertThat(generated).doesNotExist();
  }

  @Test
  void refusesAPatternThatIsCalledLikeAKind() throws IOException {
    Files.writeString(
        passes.resolve("Step.pattern"), SCALED.replace("Scaled : Step", "Step : Other"));
    assertThatThrownBy(() -> PassCompiler.compile(passes, generated))
        .hasMessageStartingWith("passes/Step.pattern:2:9: 'Step' is the name of a kind");
  }

  private static String resource(String name) throws IOException {
    try (var stream = PassCompilerTest.class.getResourceAsStream(name)) {
      return new String(stream.readAllBytes(), UTF_8);
    }
  }
}
