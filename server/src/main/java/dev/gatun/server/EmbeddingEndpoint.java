package dev.gatun.server;

import dev.gatun.chat.LocalModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `/v1/embeddings`.
final class EmbeddingEndpoint implements Endpoint {
  private static final int MOST_TEXTS = 2048;

  private final LocalModel model;
  private final Adapters adapters;
  private final @Nullable Embedder embedder;

  EmbeddingEndpoint(LocalModel model, Adapters adapters, @Nullable Embedder embedder) {
    this.model = model;
    this.adapters = adapters;
    this.embedder = embedder;
  }

  @Override
  public void answer(Exchange exchange) throws IOException {
    if (embedder == null) {
      throw ApiException.notFound(null, "embeddings: this server makes none");
    }
    JsonFields fields = exchange.fields();
    String format = fields.text("encoding_format");
    if (format != null && !format.equals("float") && !format.equals("base64")) {
      throw fields.refused("encoding_format", format, "float or base64");
    }
    if (fields.has("dimensions")) {
      throw fields.refused("dimensions", "a number", "none: vectors are as wide as the model");
    }
    String name = adapters.name(fields.text("model"));
    int vocabulary = model.engine().model().vocabulary();
    List<String> texts =
        TextInput.read(fields, "input", MOST_TEXTS, vocabulary).stream()
            .map(input -> input.text(model.tokenizer()))
            .toList();
    Embedder.Embeddings made;
    try {
      made = embedder.embed(texts, adapters.find(name));
    } catch (IllegalArgumentException e) {
      throw ApiException.invalid("input", "input: " + e.getMessage());
    }
    exchange.send(json(name, made, "base64".equals(format)));
  }

  private static ObjectNode json(String name, Embedder.Embeddings made, boolean base64) {
    ObjectNode all = Json.object().put("object", "list");
    ArrayNode data = all.putArray("data");
    for (float[] vector : made.vectors()) {
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
    all.putObject("usage").put("prompt_tokens", made.tokens()).put("total_tokens", made.tokens());
    return all;
  }

  private static String base64(float[] vector) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * vector.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(vector);
    return Base64.getEncoder().encodeToString(bytes.array());
  }
}
