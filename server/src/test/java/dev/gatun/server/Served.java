package dev.gatun.server;

import dev.gatun.chat.LocalModel;
import dev.gatun.models.engine.EngineOptions;
import dev.gatun.models.hub.ModelDirectory;
import dev.gatun.models.lora.LoraAdapter;
import dev.gatun.models.nn.CausalLm;
import dev.gatun.models.peft.LoraConfig;
import dev.gatun.models.peft.TargetModules;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.Scope;
import dev.gatun.runtime.op.Layout;
import dev.gatun.server.ServerOptions.Limits;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;

/// The demo model behind a server, and a client.
final class Served extends Client {
  static final Path MODEL = Path.of("..", "demo", "model");
  static final EngineOptions ENGINE = EngineOptions.DEFAULT.withCacheBytes(64 << 20).withThreads(2);

  final LocalModel model;

  Served(ServerOptions options, EngineOptions engine, Embedder embedder) throws IOException {
    this(LocalModel.open(MODEL, Device.CPU, DType.F32, engine), options, embedder);
  }

  private Served(LocalModel model, ServerOptions options, Embedder embedder) throws IOException {
    super(GatunServer.open(model, options, embedder));
    this.model = model;
  }

  Served(ServerOptions options) throws IOException {
    this(options, ENGINE, null);
  }

  static ServerOptions options(Limits limits) {
    return new ServerOptions("127.0.0.1", 0, "demo", null, null, null, limits);
  }

  static ServerOptions folder(Path adapters) {
    return new ServerOptions("127.0.0.1", 0, "demo", null, adapters, null, Limits.DEFAULT);
  }

  /// Writes an adapter that changes what the model says.
  static void makeAdapter(Path directory, int seed) throws IOException {
    try (CausalLm model =
            ModelDirectory.read(MODEL).open(Device.CPU, DType.F32, ModelDirectory.Use.FROZEN);
        Scope scope = Scope.open()) {
      LoraConfig config = LoraConfig.of(4, 8, new TargetModules.AllLinear());
      LoraAdapter adapter = LoraAdapter.create(scope, model, config, seed);
      Random random = new Random(seed);
      adapter
          .parameters()
          .forEach((name, tensor) -> {
            if (name.endsWith("lora_B.weight")) {
              long[] shape = tensor.shape();
              float[] values = new float[Math.toIntExact(shape[0] * shape[1])];
              for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian() * .2f;
              }
              Layout.copyInPlace(tensor, scope.of(values, shape));
            }
          });
      adapter.save(directory);
    }
  }

  /// Waits until the engine has nothing to do.
  void awaitIdle() throws InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (model.engine().stats().running() + model.engine().stats().waiting() > 0) {
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("still busy: " + model.engine().stats());
      }
      Thread.sleep(5);
    }
  }

  @Override
  public void close() {
    super.close();
    model.close();
  }
}
