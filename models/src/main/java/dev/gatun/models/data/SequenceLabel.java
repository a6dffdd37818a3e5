package dev.gatun.models.data;

/// What is to be learnt of a whole sequence, where it is not its next tokens.
public sealed interface SequenceLabel {
  /// Its class.
  ///
  /// @param index number of the class, from 0
  record Category(int index) implements SequenceLabel {
    /// Checks the number.
    public Category {
      if (index < 0) {
        throw new IllegalArgumentException("class: found " + index + ", expected 0 or more");
      }
    }
  }

  /// A number.
  ///
  /// @param value a finite number
  record Quantity(double value) implements SequenceLabel {
    /// Checks the number.
    public Quantity {
      if (!Double.isFinite(value)) {
        throw new IllegalArgumentException("target: found " + value + ", expected a finite number");
      }
    }
  }

  /// The part of it that answers a question.
  ///
  /// @param start index of its first token in the sequence
  /// @param end index of its last token
  record Span(int start, int end) implements SequenceLabel {
    /// Checks the order.
    public Span {
      if (start < 0 || end < start) {
        throw new IllegalArgumentException(
            "answer: found tokens %d to %d, expected rising ones from 0".formatted(start, end));
      }
    }
  }
}
