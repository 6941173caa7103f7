package io.moneonnx.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class DeviceTest {
  @Test
  void readsWhatItPrints() {
    assertThat(Device.parse("auto")).isEqualTo(new Device.Auto());
    assertThat(Device.parse("cpu")).isEqualTo(new Device.Cpu());
    assertThat(Device.parse("cuda")).isEqualTo(new Device.Cuda(0));
    assertThat(Device.parse("cuda:3")).isEqualTo(new Device.Cuda(3)).hasToString("cuda:3");
  }

  @Test
  void readsTensorRt() {
    assertThat(Device.parse("tensorrt")).isEqualTo(new Device.TensorRt(0));
    assertThat(Device.parse("tensorrt:2")).isEqualTo(new Device.TensorRt(2));
    assertThat(new Device.TensorRt(2)).hasToString("tensorrt:2");
  }

  @Test
  void whatIsAskedForIsExpected() {
    assertThat(Session.expected(new Device.Cpu())).isEqualTo(new Device.Cpu());
    assertThat(Session.expected(new Device.Cuda(1))).isEqualTo(new Device.Cuda(1));
    assertThat(Session.expected(new Device.Auto())).isNotEqualTo(new Device.Auto());
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpu", "CPU", "", "cuda:", "cuda:-1", "cuda:x", "cuda:99999"})
  void saysWhatThereIs(String text) {
    assertThatThrownBy(() -> Device.parse(text))
        .isInstanceOf(BadInputException.class)
        .hasMessage(
            "device '%s' is none of auto, cpu, cuda, cuda:N, tensorrt and tensorrt:N (N from 0)",
            text);
  }
}
