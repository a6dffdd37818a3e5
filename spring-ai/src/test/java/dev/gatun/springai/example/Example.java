package dev.gatun.springai.example;

import dev.gatun.springai.GatunChatOptions;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

@SpringBootApplication
public class Example {
  public static void main(String[] args) {
    try (var context = SpringApplication.run(Example.class, args)) {
      ChatClient client = context.getBean(ChatClient.Builder.class).build();
      var mine = GatunChatOptions.builder().model("mine");
      var answer = client.prompt("What is the capital of Germany?").options(mine).stream();
      answer.content().toStream().forEach(System.out::print);
    }
  }
}
