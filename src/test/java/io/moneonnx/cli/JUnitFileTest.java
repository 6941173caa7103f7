package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;

class JUnitFileTest {
  @TempDir private Path folder;

  @Test
  void saysWhatFailedAndHowMany() throws IOException {
    Path file = folder.resolve("report.xml");
    new JUnitFile(
            "verify a.onnx",
            List.of(JUnitFile.Case.passed("top-1"), JUnitFile.Case.failed("KL", "0.2 > 0.1")))
        .write(file);

    assertThat(Files.readString(file))
        .isEqualTo(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuite name="verify a.onnx" tests="2" failures="1" errors="0">
              <testcase classname="verify a.onnx" name="top-1"/>
              <testcase classname="verify a.onnx" name="KL"><failure message="0.2 &gt; 0.1"/></testcase>
            </testsuite>
            """);
  }

  @Test
  void isXmlWhateverNamesHold() throws Exception {
    Path file = folder.resolve("report.xml");
    String name = "<a \"b\" & 'c'>\n\u0001\u00fc";
    new JUnitFile(name, List.of(JUnitFile.Case.failed(name, name))).write(file);

    Document read = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file.toFile());
    assertThat(read.getDocumentElement().getAttribute("name")).contains("<a \"b\" & 'c'>");
  }
}
