package io.moneonnx.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NpyReaderTest {
  private static final String HEADER = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }";

  private static Tensor.Inline read(byte[] file) throws IOException {
    return NpyReader.read("x.npy", new ByteArrayInputStream(file));
  }

  @Test
  void readsTypeShapeAndElements() throws IOException {
    Tensor.Inline array = read(Fixtures.longs("(2, 3)", 1, 2, 3, -4, 5, 6));
    assertThat(array.type()).isEqualTo(ElementType.INT64);
    assertThat(array.dims()).containsExactly(2L, 3L);
    assertThat(array.toLongs()).containsExactly(1, 2, 3, -4, 5, 6);
  }

  @ParameterizedTest
  @CsvSource({
    "<f2, FLOAT16", "<f4, FLOAT", "<f8, DOUBLE", "|i1, INT8", "<i2, INT16", "<i4, INT32",
    "<i8, INT64", "|u1, UINT8", "<u2, UINT16", "<u4, UINT32", "<u8, UINT64", "|b1, BOOL"
  })
  void knowsEveryNumericType(String descr, ElementType type) throws IOException {
    byte[] elements = new byte[(int) type.bytes(3)];
    assertThat(read(Fixtures.npy(descr, "(3,)", elements)).type()).isEqualTo(type);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void readsEveryVersion(int version) throws IOException {
    byte[] file = Fixtures.npy(version, HEADER, "|u1", "(2,)", new byte[] {7, 8});
    assertThat(read(file).toLongs()).containsExactly(7, 8);
  }

  @Test
  void readsAScalar() throws IOException {
    assertThat(read(Fixtures.longs("()", 5)).dims()).isEmpty();
  }

  @Test
  void refusesFortranOrderByName() {
    byte[] file = Fixtures.npy(1, HEADER.replace("False", "True"), "|u1", "(1, 1)", new byte[1]);
    assertThatThrownBy(() -> read(file))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("x.npy is in Fortran order");
  }

  @ParameterizedTest
  @ValueSource(strings = {">i8", "<c8", "|O", "<U4", ""})
  void refusesOtherTypesByName(String descr) {
    assertThatThrownBy(() -> read(Fixtures.npy(descr, "(1,)", new byte[8])))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("has dtype '" + descr + "'");
  }

  @Test
  void refusesRecords() {
    byte[] file =
        Fixtures.npy(1, HEADER.replace("'%s'", "%s"), "[('a', '<i8')]", "(1,)", new byte[8]);
    assertThatThrownBy(() -> read(file))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("has dtype '[('a', '<i8')]'");
  }

  @Test
  void saysHowMuchIsMissing() {
    byte[] file = Fixtures.longs("(3,)", 1, 2);
    assertThatThrownBy(() -> read(file))
        .isInstanceOf(BadInputException.class)
        .hasMessage("x.npy ends early: 16 bytes of 24");
  }

  @Test
  void refusesAHeaderThatIsCutOff() {
    byte[] file = Arrays.copyOf(Fixtures.longs("(1,)", 1), 20);
    assertThatThrownBy(() -> read(file)).hasMessage("x.npy ends within its header");
  }

  @Test
  void refusesWhatIsNoArray() {
    assertThatThrownBy(() -> read("in the beginning".getBytes(UTF_8)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("is no NPY array");
  }

  @Test
  void refusesAShapeBeyondMemory() {
    assertThatThrownBy(() -> read(Fixtures.npy("<i8", "(4611686018427387904, 8)", new byte[0])))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("too large");
  }
}
