package dev.gatun.cli.report;

import java.io.IOException;
import java.io.StringReader;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/// A page read back with the JDK's XML parser, which takes nothing that is not well-formed.
record Page(String source, Document document) {
  static Page of(RunReport report) {
    String source = HtmlReport.page(report);
    try {
      return new Page(
          source,
          DocumentBuilderFactory.newInstance()
              .newDocumentBuilder()
              .parse(new InputSource(new StringReader(source))));
    } catch (SAXException | IOException | ParserConfigurationException e) {
      throw new AssertionError("page is not well-formed: " + e.getMessage(), e);
    }
  }

  List<Element> elements(String tag) {
    NodeList nodes = document.getElementsByTagName(tag);
    return IntStream.range(0, nodes.getLength()).mapToObj(i -> (Element) nodes.item(i)).toList();
  }

  List<Element> withClass(String tag, String cssClass) {
    return elements(tag).stream()
        .filter(e -> List.of(e.getAttribute("class").split(" ")).contains(cssClass))
        .toList();
  }

  String text() {
    return document.getDocumentElement().getTextContent();
  }
}
