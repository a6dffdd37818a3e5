/// A local model behind OpenAI's HTTP interface: [dev.gatun.server.GatunServer].
///
/// A request comes in through `Routes`, which asks `Guard`, and goes to an endpoint. Endpoints read
/// it with `JsonFields` into records; `TextAnswers` runs those that ask for text, and an
/// `AnswerForm` writes what came of them.
@NullMarked
package dev.gatun.server;

import org.jspecify.annotations.NullMarked;
