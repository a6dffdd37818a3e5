package dev.gatun.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/// The version that the build wrote down.
final class Version implements IVersionProvider {
  static final String CURRENT = read();

  private static String read() {
    Properties properties = new Properties();
    try (InputStream stream =
        Objects.requireNonNull(Version.class.getResourceAsStream("version.properties"))) {
      properties.load(stream);
    } catch (IOException e) {
      throw new ExceptionInInitializerError(e);
    }
    return properties.getProperty("version");
  }

  @Override
  public String[] getVersion() {
    return new String[] {"gatun " + CURRENT};
  }
}
