package io.moneonnx.data;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A token of a text.
 *
 * @param bytes of the text in UTF-8 that it stands for: those from the end of the token before to
 *     its own end
 */
record TextToken(long id, int bytes) {
  /**
   * All tokens of a text; the last one stands for what is left of it, so that their bytes sum to
   * the text's. Where several tokens make one character, the first has its bytes.
   */
  static List<TextToken> of(String text, Encoding encoding) {
    long[] ids = encoding.getIds();
    CharSpan[] spans = encoding.getCharTokenSpans();
    List<TextToken> tokens = new ArrayList<>(ids.length);
    int from = 0;
    int codePoints = 0;
    for (int i = 0; i < ids.length; i++) {
      boolean isLast = i == ids.length - 1;
      int end = spans[i] == null ? codePoints : Math.max(codePoints, spans[i].getEnd());
      int to = isLast ? text.length() : text.offsetByCodePoints(from, end - codePoints);
      tokens.add(new TextToken(ids[i], bytes(text.substring(from, to))));
      from = to;
      codePoints = end;
    }
    return tokens;
  }

  private static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}
