package dev.gatun.models.task;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Gathers the references of each prompt, in the order of their first lines.
final class References {
  private final Map<String, List<String>> byPrompt = new LinkedHashMap<>();

  void add(String prompt, String reference) {
    byPrompt.computeIfAbsent(prompt, key -> new ArrayList<>()).add(reference);
  }

  List<GenerationRow> rows() {
    return byPrompt.entrySet().stream()
        .map(entry -> new GenerationRow(entry.getKey(), entry.getValue(), null))
        .toList();
  }
}
