package dev.gatun.cli;

import java.nio.file.Files;
import java.nio.file.Path;

/// The model and the data that ship with the project, for commands without `--model` and `--data`.
final class Project {
  private Project() {}

  private static Path root() {
    String root = System.getProperty("gatun.root");
    if (root == null || !Files.isDirectory(Path.of(root, "demo"))) {
      throw new RefusedException(
          "--model: found nothing, expected a model directory (the demo is found through ./gatun"
              + " only)");
    }
    return Path.of(root);
  }

  static Path demoModel() {
    return root().resolve("demo/model");
  }

  static Path demoTrain() {
    return root().resolve("demo/data/train");
  }

  static Path demoHeldOut() {
    return root().resolve("demo/data/heldout");
  }

  static Path demoStudy() {
    return root().resolve("demo/study.yaml");
  }
}
