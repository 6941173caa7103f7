package io.moneonnx.form;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.Node;
import io.moneonnx.graph.UnknownFields;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The page on coverage names what is known of fused operators, and nothing else. */
final class CoverageTest {
  private static final Pattern NAME = Pattern.compile("`(\\w+)`");
  private static final Pattern NUMBER = Pattern.compile("\\d+");

  private static FusedSignature signature(String operator) {
    return FusedSignature.of(node(operator)).orElseThrow();
  }

  private static Node node(String operator) {
    return new Node(
        operator, "com.microsoft", operator, List.of(), List.of("y"), Map.of(), UnknownFields.NONE);
  }

  /** The cells of the rows of all tables with so many columns. */
  private static Stream<String[]> rows(int columns) throws IOException {
    return Files.readAllLines(Path.of("docs", "coverage.md")).stream()
        .filter(line -> line.startsWith("| "))
        .map(line -> Arrays.stream(line.split("\\|")).skip(1).map(String::strip))
        .map(cells -> cells.toArray(String[]::new))
        .filter(cells -> cells.length == columns);
  }

  private static Set<String> attributesOnThePage(String operator) throws IOException {
    return rows(3)
        .filter(cells -> cells[1].equals("both") || cells[1].equals("`" + operator + "`"))
        .flatMap(cells -> NAME.matcher(cells[0]).results())
        .map(found -> found.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @ParameterizedTest
  @ValueSource(strings = {"MoE", "QMoE"})
  void namesEveryAttribute(String operator) throws IOException {
    assertThat(attributesOnThePage(operator)).isEqualTo(signature(operator).attributeNames());
  }

  @ParameterizedTest
  @ValueSource(strings = {"MoE", "QMoE"})
  void namesEveryInput(String operator) throws IOException {
    int column = operator.equals("MoE") ? 0 : 2;
    Set<Integer> named =
        rows(4)
            .filter(cells -> Character.isDigit((cells[column] + " ").charAt(0)))
            .flatMap(cells -> NUMBER.matcher(cells[column]).results())
            .map(found -> Integer.valueOf(found.group()))
            .collect(Collectors.toCollection(TreeSet::new));

    assertThat(named)
        .containsExactlyElementsOf(
            IntStream.range(0, signature(operator).inputs()).boxed().toList());
  }
}
