/// Text that follows a grammar: GBNF, regular expressions, choices, JSON and JSON Schema.
@NullMarked
package dev.gatun.models.constrain;

import org.jspecify.annotations.NullMarked;
