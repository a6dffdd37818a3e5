package dev.gatun.models.peft;

import java.util.List;
import java.util.TreeSet;

/// Which modules a LoRA configuration names: PEFT's `target_modules` and `exclude_modules`.
public sealed interface TargetModules {
  /// Modules whose path is one of the names, or ends in a dot and one of them.
  ///
  /// @param names path suffixes; kept sorted and distinct
  record Names(List<String> names) implements TargetModules {
    /// Sorts the names.
    ///
    /// @throws InvalidSettingException if a name is empty
    public Names {
      names = List.copyOf(new TreeSet<>(names));
      if (names.contains("")) {
        throw new InvalidSettingException("target_modules", "an empty name", "module names");
      }
    }
  }

  /// Modules whose whole path matches a regular expression in Python's dialect.
  ///
  /// @param pattern the expression
  record Regex(String pattern) implements TargetModules {
    /// Checks the expression.
    ///
    /// @throws InvalidSettingException if it cannot be used
    public Regex {
      PythonRegex.compile(pattern);
    }
  }

  /// Every linear layer but the output head: `"all-linear"`.
  record AllLinear() implements TargetModules {}

  /// PEFT's choice for the architecture, for example `q_proj` and `v_proj`: `null` in the file.
  record ModelDefault() implements TargetModules {}
}
