package dev.gatun.server;

import dev.gatun.models.data.Tokenizer;
import dev.gatun.models.engine.AdapterHandle;
import dev.gatun.runtime.ShapeException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `/v1/embeddings`.
final class EmbeddingEndpoint implements Endpoint {
  private static final int MOST_TEXTS = 2048;
  private static final String INPUT = "input";

  private final Embedder embedder;
  private final Tokenizer tokenizer;
  private final int vocabulary;
  private final Serving serving;
  private final Function<String, @Nullable AdapterHandle> adapters;

  /// @param vocabulary ids that texts may be given as
  /// @param adapters finds the adapter of a name, null for the base's; refuses any other
  EmbeddingEndpoint(
      Embedder embedder,
      Tokenizer tokenizer,
      int vocabulary,
      Serving serving,
      Function<String, @Nullable AdapterHandle> adapters) {
    this.embedder = embedder;
    this.tokenizer = tokenizer;
    this.vocabulary = vocabulary;
    this.serving = serving;
    this.adapters = adapters;
  }

  @Override
  public void answer(Exchange exchange) throws IOException {
    JsonFields fields = exchange.fields();
    String format = fields.text("encoding_format");
    if (format != null && !format.equals("float") && !format.equals("base64")) {
      throw fields.refused("encoding_format", format, "float or base64");
    }
    if (fields.has("dimensions")) {
      throw fields.refused("dimensions", "a number", "none: vectors are as wide as the model");
    }
    boolean cut = Truncation.read(fields);
    String name = serving.adapters().name(fields.text("model"));
    AdapterHandle adapter = adapters.apply(name);
    List<String> texts =
        TextInput.read(fields, INPUT, MOST_TEXTS, vocabulary).stream()
            .map(input -> input.text(tokenizer))
            .toList();
    List<float[]> vectors = new ArrayList<>();
    int[] tokens = new int[1];
    serving.metrics().asked(name);
    serving.inPieces(
        exchange,
        texts,
        String::length,
        piece -> {
          Embedder.Embeddings made = embed(piece, adapter, cut);
          vectors.addAll(made.vectors());
          tokens[0] += made.tokens();
        });
    serving.metrics().read(tokens[0]);
    exchange.send(json(name, vectors, usage(tokens[0]), "base64".equals(format)));
  }

  private Embedder.Embeddings embed(
      List<String> texts, @Nullable AdapterHandle adapter, boolean cut) throws IOException {
    try {
      return embedder.embed(texts, adapter, cut);
    } catch (ShapeException e) {
      throw ApiException.tooLong(INPUT, e.getMessage());
    } catch (IllegalArgumentException e) {
      throw ApiException.invalid("model", String.valueOf(e.getMessage()));
    }
  }

  /// Returns the usage of a request that makes no tokens.
  static ObjectNode usage(int tokens) {
    return Json.object().put("prompt_tokens", tokens).put("total_tokens", tokens);
  }

  private static ObjectNode json(
      String name, List<float[]> vectors, ObjectNode usage, boolean base64) {
    ObjectNode all = Json.object().put("object", "list");
    ArrayNode data = all.putArray("data");
    for (float[] vector : vectors) {
      ObjectNode each = data.addObject().put("object", "embedding").put("index", data.size() - 1);
      if (base64) {
        each.put("embedding", base64(vector));
      } else {
        ArrayNode values = each.putArray("embedding");
        for (float value : vector) {
          values.add(value);
        }
      }
    }
    all.put("model", name);
    all.set("usage", usage);
    return all;
  }

  private static String base64(float[] vector) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * vector.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(vector);
    return Base64.getEncoder().encodeToString(bytes.array());
  }
}
