package dev.gatun.chat;

import com.google.errorprone.annotations.MustBeClosed;
import dev.gatun.models.data.ChatFormat;
import dev.gatun.models.data.ChatMessage;
import dev.gatun.models.data.Tokenizer;
import dev.gatun.models.engine.AdapterHandle;
import dev.gatun.models.engine.Engine;
import dev.gatun.models.engine.EngineOptions;
import dev.gatun.models.generate.TokenConstraint;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.MalformedFileException;
import dev.gatun.templates.ChatTemplate;
import dev.gatun.tokenizers.HfTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/// A model directory opened for inference: the model, its tokenizer, the form of its conversations,
/// and an engine over them. Many callers may share one; thread-safe.
public final class LocalModel implements AutoCloseable {
  private final String name;
  private final CausalLm model;
  private final HfTokenizer tokenizer;
  private final ChatFormat format;
  private final Forms forms;
  private final Engine engine;

  private LocalModel(
      String name,
      CausalLm model,
      HfTokenizer tokenizer,
      ChatFormat format,
      Forms forms,
      Engine engine) {
    this.name = name;
    this.model = model;
    this.tokenizer = tokenizer;
    this.format = format;
    this.forms = forms;
    this.engine = engine;
  }

  /// Opens a directory.
  ///
  /// @param directory a Hugging Face model directory of a decoder, with a `tokenizer.json`
  /// @param device where to compute
  /// @param compute f32 or bf16
  /// @param options the engine's limits
  /// @return the model, to be closed by the caller
  /// @throws MalformedFileException if a file breaks a rule, or they do not fit together
  /// @throws IOException if a file is missing or cannot be read
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // closed with what is returned
  public static LocalModel open(Path directory, Device device, DType compute, EngineOptions options)
      throws IOException {
    ModelDirectory read = ModelDirectory.read(directory);
    HfTokenizer tokenizer = HfTokenizer.open(directory);
    CausalLm model = null;
    try {
      model = onItsOwnThread(() -> read.open(device, compute, ModelDirectory.Use.FROZEN));
      if (tokenizer.vocabularySize() > model.vocabulary()) {
        throw new MalformedFileException(
            directory,
            "tokenizer.json",
            tokenizer.vocabularySize() + " tokens",
            "at most vocab_size = " + model.vocabulary());
      }
      Engine engine = Engine.open(model, tokenizer, read.stopIds(), options);
      Path name = directory.toAbsolutePath().normalize().getFileName();
      ChatFormat format = ChatTemplate.formatOf(directory);
      Forms forms = new Forms(tokenizer, read.stopIds());
      return new LocalModel(String.valueOf(name), model, tokenizer, format, forms, engine);
    } catch (IOException | RuntimeException e) {
      if (model != null) {
        model.close();
      }
      tokenizer.close();
      throw e;
    }
  }

  /// Runs a task on a thread that ends with it, and its OpenMP pool too: with a second pool in the
  /// process, libgomp lets the engine's threads sleep between operations.
  private static CausalLm onItsOwnThread(Opening opening) throws IOException {
    CompletableFuture<CausalLm> opened = new CompletableFuture<>();
    Thread.ofPlatform()
        .name("gatun-opening")
        .start(() -> {
          try {
            opened.complete(opening.open());
          } catch (IOException | RuntimeException | Error e) {
            opened.completeExceptionally(e);
          }
        });
    try {
      return opened.join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case IOException cause -> throw cause;
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw e;
      }
    }
  }

  @FunctionalInterface
  private interface Opening {
    CausalLm open() throws IOException;
  }

  /// {@return the directory's own name}
  public String name() {
    return name;
  }

  /// {@return the engine, which this model closes}
  public Engine engine() {
    return engine;
  }

  /// {@return the tokenizer}
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /// {@return the adapter of a name, or null for the model without one: its own name, or none}
  ///
  /// @param name the model's name, an adapter's, or null
  /// @throws IllegalArgumentException if it is neither's
  public @Nullable AdapterHandle adapter(@Nullable String name) {
    if (name == null) {
      return null;
    }
    AdapterHandle adapter = engine.adapter(name).orElse(null);
    if (adapter == null && !name.equals(this.name)) {
      throw new IllegalArgumentException(
          "model: found %s, expected %s or an adapter of %s"
              .formatted(
                  name, this.name, engine.adapters().stream().map(AdapterHandle::name).toList()));
    }
    return adapter;
  }

  /// {@return what holds a text to a form, in front of its first token}
  ///
  /// @param form the form
  /// @throws IllegalArgumentException if it is malformed; the message says where
  public TokenConstraint constraint(TextForm form) {
    return forms.constraint(form);
  }

  /// {@return the form of the model's conversations}
  public ChatFormat format() {
    return format;
  }

  /// {@return the ids of a conversation up to where the assistant's next turn begins}
  ///
  /// @param messages at least one message
  public int[] prompt(List<ChatMessage> messages) {
    return format.promptIds(tokenizer, messages);
  }

  /// Closes the engine, which cancels what has not ended, and frees the model.
  @Override
  public void close() {
    engine.close();
    model.close();
    tokenizer.close();
  }
}
