/// Tokenizers of Hugging Face model directories, on Hugging Face's own library.
@NullMarked
package dev.gatun.tokenizers;

import org.jspecify.annotations.NullMarked;
