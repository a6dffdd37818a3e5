/// Spring AI on a local model: a chat model whose requests go through an adapter or none, an
/// embedding model, and their auto-configuration.
///
/// ```properties
/// spring.ai.gatun.directory=models/base
/// spring.ai.gatun.adapters.poems=adapters/poems
/// spring.ai.gatun.chat.model=poems
/// ```
///
/// makes a [dev.gatun.chat.LocalModel], which is closed with the application's context, a
/// [GatunChatModel] over it, and with it Spring AI's `ChatClient.Builder`.
///
/// These classes are for the class path: Spring AI's jars have no module names of their own, and
/// its parts share packages, which modules may not. The jar has an `Automatic-Module-Name` for the
/// day that changes.
@NullMarked
package dev.gatun.springai;

import org.jspecify.annotations.NullMarked;
