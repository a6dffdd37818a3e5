package dev.gatun.server;

import dev.gatun.models.generate.TokenConstraint;

/// Makes what holds a text to its form.
@FunctionalInterface
interface FormConstraints {
  /// Refuses every form.
  FormConstraints NONE =
      form -> {
        throw ApiException.field(form.param(), "a form", "none: texts are free here");
      };

  /// Makes the constraint of a form.
  ///
  /// @return a constraint in front of a text
  /// @throws IllegalArgumentException if the form is malformed
  TokenConstraint of(TextForm form);
}
