package dev.gatun.server;

import com.google.errorprone.annotations.MustBeClosed;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.gatun.chat.LocalClassifier;
import dev.gatun.chat.LocalEncoder;
import dev.gatun.models.engine.AdapterEnsemble;
import dev.gatun.models.engine.EncoderOptions;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.nn.Task;
import dev.gatun.models.zoo.TaskConfig;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// An encoder's directory opened to be served: its embeddings, and the classes of texts by its own
/// head and by the heads of adapters. Thread-safe.
///
/// Classes need a `config.json` that names a head for sequences and its labels. Each adapter has a
/// [LocalClassifier] of its own: on the host all of them map the same weights, on a GPU each has a
/// copy.
public final class EncoderModel implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(EncoderModel.class.getName());

  private final Path directory;
  private final Device device;
  private final DType compute;
  private final EncoderOptions options;
  private final @Nullable AdapterEnsemble ensemble;
  private final boolean classifies;
  private final LocalEncoder encoder;
  private final @Nullable SharedClassifier own;
  private final Map<String, SharedClassifier> adapters = new ConcurrentSkipListMap<>();

  @GuardedBy("this")
  private boolean closed;

  @SuppressWarnings("MustBeClosedChecker") // closed with the model
  private EncoderModel(
      Path directory,
      Device device,
      DType compute,
      EncoderOptions options,
      @Nullable AdapterEnsemble ensemble)
      throws IOException {
    this.directory = directory;
    this.device = device;
    this.compute = compute;
    this.options = options;
    this.ensemble = ensemble;
    this.classifies = classifies(ModelDirectory.read(directory));
    this.encoder = LocalEncoder.open(directory, device, compute, options);
    this.own = classifies ? own() : null;
  }

  private static boolean classifies(ModelDirectory directory) throws MalformedFileException {
    if (TaskConfig.isMultiLabel(directory.config())) {
      return true;
    }
    Task task = directory.task();
    return task != null && task.isOfSequences();
  }

  /// Opens the model's own head, or returns null where the directory has no weights of it.
  @SuppressWarnings("MustBeClosedChecker") // closed with the model
  private @Nullable SharedClassifier own() throws IOException {
    try {
      return new SharedClassifier(
          LocalClassifier.open(directory, null, null, device, compute, options));
    } catch (MalformedFileException e) { // the encoder alone has opened: it is the head's fault
      LOG.log(System.Logger.Level.WARNING, "no classes without an adapter: {0}", e.getMessage());
      return null;
    } catch (IOException | RuntimeException e) {
      encoder.close();
      throw e;
    }
  }

  /// Opens a directory.
  ///
  /// @param directory a Hugging Face or sentence-transformers directory of an encoder, with a
  ///   `tokenizer.json`
  /// @param device where to compute
  /// @param compute f32 or bf16
  /// @param options the limits of the embeddings, and of each head's classes
  /// @param ensemble draws of an adapter's masks to average its classes over, or null
  /// @return the model, to be closed by the caller
  /// @throws MalformedFileException if a file breaks a rule, or they do not fit together
  /// @throws IOException if a file is missing or cannot be read
  @MustBeClosed
  public static EncoderModel open(
      Path directory,
      Device device,
      DType compute,
      EncoderOptions options,
      @Nullable AdapterEnsemble ensemble)
      throws IOException {
    return new EncoderModel(directory, device, compute, options, ensemble);
  }

  /// {@return the directory's own name}
  public String name() {
    return encoder.name();
  }

  LocalEncoder encoder() {
    return encoder;
  }

  List<String> adapters() {
    return List.copyOf(adapters.keySet());
  }

  boolean has(String adapter) {
    return adapters.containsKey(adapter);
  }

  /// Loads an adapter, in place of another of its name.
  ///
  /// @throws IOException if it cannot be read, has no head and the model has none either, or cannot
  ///   be the ensemble that is asked for
  @SuppressWarnings("MustBeClosedChecker") // closed when its last holder releases it
  void load(String name, Path adapter) throws IOException {
    if (!classifies) {
      throw new IOException(
          "adapter: found a base without a head for sequences in its config.json, expected one");
    }
    LocalClassifier opened;
    try {
      opened = LocalClassifier.open(directory, adapter, ensemble, device, compute, options);
    } catch (MalformedFileException e) {
      if (e.file().startsWith(directory.toString())) { // whose place is no business of a request
        throw new IOException(
            "adapter: %s: found %s, expected %s".formatted(e.place(), e.found(), e.expected()), e);
      }
      throw e;
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
    SharedClassifier former;
    synchronized (this) {
      if (closed) {
        opened.close();
        throw new IOException("adapter: found a model that is closed, expected an open one");
      }
      former = adapters.put(name, new SharedClassifier(opened));
    }
    if (former != null) {
      former.release();
    }
  }

  boolean unload(String name) {
    SharedClassifier former = adapters.remove(name);
    if (former == null) {
      return false;
    }
    former.release();
    return true;
  }

  /// Asks a classifier, which stays open meanwhile.
  ///
  /// @param adapter an adapter's name, or null for the model's own head
  /// @return whether there is one
  boolean ask(@Nullable String adapter, Consumer<LocalClassifier> question) {
    SharedClassifier asked = adapter == null ? own : adapters.get(adapter);
    if (asked == null || !asked.hold()) {
      return false;
    }
    try {
      question.accept(asked.classifier());
      return true;
    } finally {
      asked.release();
    }
  }

  /// Frees everything after the passes under way; calls that wait end in an
  /// [dev.gatun.models.engine.EngineException].
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    adapters.keySet().forEach(this::unload);
    if (own != null) {
      own.release();
    }
    encoder.close();
  }
}
