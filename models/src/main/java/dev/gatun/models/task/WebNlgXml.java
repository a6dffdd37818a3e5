package dev.gatun.models.task;

import dev.gatun.runtime.MalformedFileException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/// Reads WebNLG's XML: `entry` elements with a `modifiedtripleset` of `mtriple`s, `subject |
/// property | object`, and `lex` texts.
final class WebNlgXml {
  /// Receives entries.
  interface Sink {
    void accept(String category, List<String> triples, List<String> references);
  }

  private WebNlgXml() {}

  static void read(Path file, Sink sink) throws IOException {
    XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
    factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
    factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      XMLStreamReader xml = factory.createXMLStreamReader(in);
      try {
        while (xml.hasNext()) {
          if (xml.next() == XMLStreamConstants.START_ELEMENT
              && xml.getLocalName().equals("entry")) {
            readEntry(file, xml, sink);
          }
        }
      } finally {
        xml.close();
      }
    } catch (XMLStreamException e) {
      String place = e.getLocation() == null ? "file" : "line " + e.getLocation().getLineNumber();
      MalformedFileException malformed =
          new MalformedFileException(file, place, reason(e), "valid XML");
      malformed.initCause(e);
      throw malformed;
    }
  }

  private static void readEntry(Path file, XMLStreamReader xml, Sink sink)
      throws XMLStreamException, MalformedFileException {
    String category = xml.getAttributeValue(null, "category");
    if (category == null) {
      throw new MalformedFileException(file, place(xml), "an entry without category", "it");
    }
    List<String> triples = new ArrayList<>();
    List<String> references = new ArrayList<>();
    while (true) {
      int event = xml.next();
      if (event == XMLStreamConstants.END_ELEMENT && xml.getLocalName().equals("entry")) {
        sink.accept(category, triples, references);
        return;
      }
      if (event == XMLStreamConstants.START_ELEMENT) {
        switch (xml.getLocalName()) {
          case "mtriple" -> triples.add(triple(file, xml));
          case "lex" -> {
            boolean good = "good".equals(xml.getAttributeValue(null, "comment"));
            String text = xml.getElementText();
            if (good) {
              references.add(text);
            }
          }
          default -> {} // the original triples, and release 3's additions
        }
      }
    }
  }

  private static String triple(Path file, XMLStreamReader xml)
      throws XMLStreamException, MalformedFileException {
    String place = place(xml);
    return WebNlg.triple(file, place, xml.getElementText());
  }

  /// The parser's messages begin with a line of their own that says where.
  private static String reason(XMLStreamException e) {
    return String.valueOf(e.getMessage()).replaceFirst("(?s)^.*\nMessage: ", "");
  }

  private static String place(XMLStreamReader xml) {
    return "line " + xml.getLocation().getLineNumber();
  }
}
