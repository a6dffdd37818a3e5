package dev.gatun.templates;

import java.math.BigInteger;
import java.util.Set;

/// Python's arithmetic: integers of any size up to a bound, floats, and booleans as 0 and 1.
final class Numbers {
  private static final int MAX_BITS = 4096;

  private Numbers() {}

  /// Returns an integer as the narrowest of Long and BigInteger.
  static Object integer(BigInteger value) {
    if (value.bitLength() > MAX_BITS) {
      throw new TemplateException(
          "found an integer of more than " + MAX_BITS + " bits, expected a smaller one");
    }
    return value.bitLength() < 64 ? (Object) value.longValue() : value;
  }

  static boolean isNumber(Object value) {
    return isInteger(value) || value instanceof Double;
  }

  /// Whether Python takes the value for an integer, as it does booleans.
  static boolean isInteger(Object value) {
    return value instanceof Long || value instanceof BigInteger || value instanceof Boolean;
  }

  static BigInteger big(Object value) {
    return switch (value) {
      case BigInteger big -> big;
      case Long number -> BigInteger.valueOf(number);
      case Boolean flag -> flag ? BigInteger.ONE : BigInteger.ZERO;
      default -> throw new IllegalStateException("no integer: " + value);
    };
  }

  static double real(Object value) {
    return value instanceof Double real ? real : big(value).doubleValue();
  }

  static int compare(Object left, Object right) {
    return left instanceof Double || right instanceof Double
        ? Double.compare(real(left) + 0.0, real(right) + 0.0)
        : big(left).compareTo(big(right));
  }

  /// Computes with two numbers.
  static Object of(String operator, Object left, Object right) {
    if (Set.of("/", "//", "%").contains(operator) && real(right) == 0) {
      throw new TemplateException(operator + ": found a divisor of 0, expected another");
    }
    boolean negativePower = operator.equals("**") && real(right) < 0;
    if (left instanceof Double
        || right instanceof Double
        || operator.equals("/")
        || negativePower) {
      return real(operator, real(left), real(right));
    }
    BigInteger a = big(left);
    BigInteger b = big(right);
    return integer(
        switch (operator) {
          case "+" -> a.add(b);
          case "-" -> a.subtract(b);
          case "*" -> a.multiply(b);
          case "//" -> floor(a, b)[0];
          case "%" -> floor(a, b)[1];
          case "**" -> power(a, b);
          default -> throw new IllegalStateException(operator);
        });
  }

  private static double real(String operator, double a, double b) {
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      case "//" -> Math.floor(a / b);
      case "%" -> {
        double rest = a % b;
        yield rest != 0 && rest < 0 != b < 0 ? rest + b : rest;
      }
      case "**" -> Math.pow(a, b);
      default -> throw new IllegalStateException(operator);
    };
  }

  private static BigInteger[] floor(BigInteger a, BigInteger b) {
    BigInteger[] parts = a.divideAndRemainder(b);
    if (parts[1].signum() != 0 && parts[1].signum() != b.signum()) {
      parts[0] = parts[0].subtract(BigInteger.ONE);
      parts[1] = parts[1].add(b);
    }
    return parts;
  }

  private static BigInteger power(BigInteger a, BigInteger b) {
    if (a.abs().compareTo(BigInteger.ONE) <= 0) {
      return b.signum() == 0 || (a.signum() < 0 && !b.testBit(0)) ? BigInteger.ONE : a;
    }
    if (b.bitLength() > 31 || (long) (a.abs().bitLength() - 1) * b.intValue() > MAX_BITS) {
      throw new TemplateException(
          "**: found a result of more than " + MAX_BITS + " bits, expected a smaller one");
    }
    return a.pow(b.intValue());
  }
}
