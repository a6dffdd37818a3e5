/// LangChain4j on a local model: chat models that share one [dev.gatun.chat.LocalModel], each
/// through an adapter or none, and an embedding model.
///
/// ```java
/// try (LocalModel local = LocalModel.open(directory, Device.CPU, DType.BF16, EngineOptions.DEFAULT)) {
///   local.engine().load("poems", Path.of("poems-adapter"));
///   ChatModel plain = GatunChatModel.builder().model(local).build();
///   ChatModel poems = GatunChatModel.builder().model(local).modelName("poems").build();
///   System.out.println(poems.chat("Roses are red"));
/// }
/// ```
///
/// These classes are for the class path: LangChain4j's jars have no module names of their own, and
/// its parts share packages, which modules may not. The jar has an `Automatic-Module-Name` for the
/// day that changes.
@NullMarked
package dev.gatun.langchain4j;

import org.jspecify.annotations.NullMarked;
