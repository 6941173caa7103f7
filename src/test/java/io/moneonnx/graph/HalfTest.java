package io.moneonnx.graph;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HalfTest {
  @Test
  void everyHalfSurvivesARoundTrip() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = Half.toFloat((short) bits);
      if (!Float.isNaN(value)) {
        assertThat(Half.of(value)).isEqualTo((short) bits);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1.0, 0x3c00",
    "-2.0, 0xc000",
    "65504, 0x7bff",
    "65519.9, 0x7bff",
    "65520, 0x7c00",
    "1.00048828125, 0x3c00",
    "1.00146484375, 0x3c02",
    "0.1, 0x2e66",
    "5.960464477539063e-8, 0x0001",
    "2.9802322387695312e-8, 0x0000",
    "6.103515625e-5, 0x0400"
  })
  void roundsToNearestEven(float value, int bits) {
    assertThat(Half.of(value)).isEqualTo((short) bits);
  }

  @Test
  void notANumberStaysOne() {
    assertThat(Half.toFloat(Half.of(Float.NaN))).isNaN();
  }
}
