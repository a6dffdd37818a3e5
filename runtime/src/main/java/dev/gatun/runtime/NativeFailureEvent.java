package dev.gatun.runtime;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

@Name("dev.gatun.NativeFailure")
@Label("Native Failure")
@Category("Gatun")
@Description("A call of a native library that reported a failure")
final class NativeFailureEvent extends Event {
  @Label("Function")
  final String function;

  @Label("Code")
  final int code;

  @Label("Text")
  final String text;

  NativeFailureEvent(String function, int code, String text) {
    this.function = function;
    this.code = code;
    this.text = text;
  }
}
