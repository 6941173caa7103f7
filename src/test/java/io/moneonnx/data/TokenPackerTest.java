package io.moneonnx.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Documents that come in pieces, as long files do. */
final class TokenPackerTest {
  private static final Path FILE = Fixtures.MODEL.resolveSibling("tokenizer.json");

  /** Stands for the end-of-text token among texts. */
  private static final String END = "";

  private static TextTokenizer tokenizer;

  private final TokenPacker packer =
      new TokenPacker(tokenizer, OptionalLong.empty(), Integer.MAX_VALUE);

  @BeforeAll
  static void opens() {
    tokenizer = TextTokenizer.open(FILE);
  }

  @AfterAll
  static void closes() {
    tokenizer.close();
  }

  private void document(String... pieces) {
    for (String piece : pieces) {
      packer.add(piece);
    }
    packer.endDocument();
  }

  /** Tokens of one text after the other. */
  private static int[] tokens(String... texts) {
    return Arrays.stream(texts).flatMapToInt(TokenPackerTest::encoded).toArray();
  }

  private static IntStream encoded(String text) {
    return text.equals(END)
        ? IntStream.of(0)
        : Arrays.stream(tokenizer.encode(text)).mapToInt(Math::toIntExact);
  }

  @Test
  void endsATextBetweenDocumentsAndNotBetweenTheirPieces() {
    document("light\n", "and light\n");
    document("darkness\n", "upon\n", "the deep\n");

    assertThat(packer.tokens())
        .isEqualTo(tokens("light\n", "and light\n", END, "darkness\n", "upon\n", "the deep\n"));
  }

  @Test
  void endsNoTextBeforeTheFirstNorForDocumentsWithoutTokens() {
    document();
    document("light");
    document("");
    document("deep");

    assertThat(packer.tokens()).isEqualTo(tokens("light", END, "deep"));
  }
}
