package dev.gatun.runtime.op;

import java.util.stream.Stream;
final class OpErrorCases { record Row(String op) {} static Stream<Row> all() { return Stream.of(); } }
