package io.moneonnx.cli;

import io.moneonnx.io.Draft;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/**
 * The outcome of checks as JUnit XML, which continuous integration shows test by test.
 *
 * @param suite what was checked
 */
record JUnitFile(String suite, List<Case> cases) {
  JUnitFile {
    cases = List.copyOf(cases);
  }

  /**
   * One check.
   *
   * @param failure what was found and what was wanted, if it failed
   */
  record Case(String name, Optional<String> failure) {
    static Case passed(String name) {
      return new Case(name, Optional.empty());
    }

    static Case failed(String name, String failure) {
      return new Case(name, Optional.of(failure));
    }
  }

  /** Writes the file; one that is there already is replaced, as test reports are. */
  void write(Path file) {
    Draft.write(
        file,
        draft -> {
          try (BufferedWriter writer = Files.newBufferedWriter(draft)) {
            XMLStreamWriter xml = XMLOutputFactory.newFactory().createXMLStreamWriter(writer);
            write(xml);
            xml.close();
          } catch (XMLStreamException e) {
            throw new IOException(e);
          }
        });
  }

  private void write(XMLStreamWriter xml) throws XMLStreamException {
    long failures = cases.stream().filter(check -> check.failure().isPresent()).count();
    xml.writeStartDocument("UTF-8", "1.0");
    xml.writeCharacters("\n");
    xml.writeStartElement("testsuite");
    xml.writeAttribute("name", legal(suite));
    xml.writeAttribute("tests", Integer.toString(cases.size()));
    xml.writeAttribute("failures", Long.toString(failures));
    xml.writeAttribute("errors", "0");
    for (Case check : cases) {
      xml.writeCharacters("\n  ");
      write(xml, check);
    }
    xml.writeCharacters("\n");
    xml.writeEndElement();
    xml.writeCharacters("\n");
    xml.writeEndDocument();
  }

  private void write(XMLStreamWriter xml, Case check) throws XMLStreamException {
    if (check.failure().isEmpty()) {
      xml.writeEmptyElement("testcase");
    } else {
      xml.writeStartElement("testcase");
    }
    xml.writeAttribute("classname", legal(suite));
    xml.writeAttribute("name", legal(check.name()));
    if (check.failure().isPresent()) {
      xml.writeEmptyElement("failure");
      xml.writeAttribute("message", legal(check.failure().get()));
      xml.writeEndElement();
    }
  }

  /** XML has no way to write control characters. */
  private static String legal(String text) {
    return text.replaceAll("[\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\uFFFE\\uFFFF]", "\uFFFD");
  }
}
