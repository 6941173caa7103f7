package io.moneonnx.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Every document of up to 20 tokens, every window of up to 7 and every stride. */
final class WindowCutterTest {
  private static final int MOST_TOKENS = 20;
  private static final int MOST_LENGTH = 7;

  /** A way to cut a document of so many tokens, which are numbered from 0. */
  private record Case(int tokens, int length, int stride) {
    List<TokenWindow> windows() {
      return cut(new SlidingWindows(length, stride, false), Integer.MAX_VALUE, tokens);
    }
  }

  private static List<TokenWindow> cut(SlidingWindows windows, int limit, int... documents) {
    List<TokenWindow> found = new ArrayList<>();
    WindowCutter cutter = new WindowCutter(windows, limit, found::add);
    for (int tokens : documents) {
      LongStream.range(0, tokens).mapToObj(id -> new TextToken(id, 1)).forEach(cutter::add);
      cutter.endDocument();
    }
    return found;
  }

  private static List<Case> cases() {
    List<Case> cases = new ArrayList<>();
    for (int tokens = 0; tokens <= MOST_TOKENS; tokens++) {
      for (int length = 1; length <= MOST_LENGTH; length++) {
        for (int stride = 1; stride <= length; stride++) {
          cases.add(new Case(tokens, length, stride));
        }
      }
    }
    return cases;
  }

  private static long[] counted(TokenWindow window) {
    return window.next().skip(window.first()).toArray();
  }

  @Test
  void everyTokenButTheFirstCountsOnce() {
    for (Case each : cases()) {
      long[] counted =
          each.windows().stream().flatMapToLong(window -> LongStream.of(counted(window))).toArray();

      assertThat(counted).as(each.toString()).isEqualTo(LongStream.range(1, each.tokens).toArray());
    }
  }

  @Test
  void aTokenHasTheContextThatTheStridePromises() {
    for (Case each : cases()) {
      for (TokenWindow window : each.windows()) {
        long begin = window.fed().findFirst().orElseThrow();
        for (long token : counted(window)) {
          assertThat(token - begin)
              .as("%s: tokens before token %d", each, token)
              .isBetween(Math.min(token, each.length - each.stride + 1), (long) each.length);
        }
      }
    }
  }

  @Test
  void everyWindowIsFullWhereTheDocumentIsLongEnough() {
    for (Case each : cases()) {
      assertThat(each.windows())
          .as(each.toString())
          .allMatch(window -> window.length() == Math.min(each.length, each.tokens - 1));
    }
  }

  @Test
  void whatIsFedFollowsEachOther() {
    for (Case each : cases()) {
      for (TokenWindow window : each.windows()) {
        long begin = window.fed().findFirst().orElseThrow();
        assertThat(window.fed().toArray())
            .isEqualTo(LongStream.range(begin, begin + window.length()).toArray());
        assertThat(window.next().toArray()).isEqualTo(window.fed().map(id -> id + 1).toArray());
      }
    }
  }

  @Test
  void bytesAreThoseOfTheTokensThatCount() {
    for (Case each : cases()) {
      long bytes = each.windows().stream().mapToLong(TokenWindow::bytes).sum();

      assertThat(bytes).as(each.toString()).isEqualTo(Math.max(0, each.tokens - 1));
    }
  }

  /**
   * As lm-evaluation-harness cuts 34 tokens behind a prefix in windows of 10
   * (https://github.com/EleutherAI/lm-evaluation-harness, tests/test_utils.py).
   */
  @Test
  void theLastWindowReachesBack() {
    List<TokenWindow> windows = new Case(35, 10, 10).windows();

    assertThat(windows).hasSize(4);
    assertThat(windows.get(3).fed().toArray()).isEqualTo(LongStream.range(24, 34).toArray());
    assertThat(counted(windows.get(3))).containsExactly(31, 32, 33, 34);
  }

  @Test
  void noWindowReachesIntoAnotherDocument() {
    List<TokenWindow> windows = cut(new SlidingWindows(4, 2, false), Integer.MAX_VALUE, 3, 1, 6);

    assertThat(windows).hasSize(3);
    assertThat(windows.get(0).fed().toArray()).containsExactly(0, 1);
    assertThat(windows.get(1).fed().toArray()).containsExactly(0, 1, 2, 3);
    assertThat(windows.get(2).fed().toArray()).containsExactly(1, 2, 3, 4);
    assertThat(counted(windows.get(2))).containsExactly(5);
  }

  @Test
  void aLimitLeavesOutTheRest() {
    List<TokenWindow> windows = cut(new SlidingWindows(4, 4, false), 3, 9, 9);

    assertThat(windows).hasSize(3);
    assertThat(counted(windows.get(2))).containsExactly(1, 2, 3, 4);
  }

  @Test
  void holdsNoMoreThanAWindowAndAStride() {
    List<TokenWindow> found = new ArrayList<>();
    WindowCutter cutter =
        new WindowCutter(new SlidingWindows(8, 5, false), Integer.MAX_VALUE, found::add);
    for (int token = 0; token < 1000; token++) {
      cutter.add(new TextToken(token, 1));
      assertThat(cutter.held()).isLessThanOrEqualTo(8 + 5);
    }
    assertThat(found).hasSize(199);
  }

  @Test
  void aStrideLeavesNoTokenOut() {
    assertThatThrownBy(() -> new SlidingWindows(8, 9, false))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("stride: found 9, expected 1 to 8");
    assertThatThrownBy(() -> new SlidingWindows(8, 0, false))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("stride: found 0");
  }
}
