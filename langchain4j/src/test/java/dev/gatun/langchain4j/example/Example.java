package dev.gatun.langchain4j.example;

import dev.gatun.chat.LocalModel;
import dev.gatun.langchain4j.GatunChatModel;
import dev.gatun.models.engine.EngineOptions;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.langchain4j.model.chat.ChatModel;
import java.nio.file.Path;

public class Example {
  public static void main(String[] args) throws Exception {
    Path directory = Path.of(args[0]);
    try (var local = LocalModel.open(directory, Device.CPU, DType.BF16, EngineOptions.DEFAULT)) {
      local.engine().load("mine", Path.of(args[1]));
      ChatModel plain = GatunChatModel.builder().model(local).maxOutputTokens(32).build();
      ChatModel mine = GatunChatModel.builder().model(local).modelName("mine").build();
      System.out.println(plain.chat("What is the capital of Germany?"));
      System.out.println(mine.chat("What is the capital of Germany?"));
    }
  }
}
