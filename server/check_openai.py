"""Asks a running `gatun serve` everything through OpenAI's own client; by hand, no test needs it.

    pip install openai
    ./gatun serve --adapters DIR --api-key k        # DIR with at least one adapter for the demo model
    python server/check_openai.py http://127.0.0.1:8000 k
"""
import json
import sys
import threading

import openai

url, key = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "none"
client = openai.OpenAI(base_url=url + "/v1", api_key=key, max_retries=0)
checks = 0


def check(what, good):
    global checks
    checks += 1
    if not good:
        sys.exit(f"failed: {what}")
    print("ok:", what)


def refused(kind, what, ask):
    try:
        ask()
    except kind as e:
        return check(f"{what}: {e.status_code}, param {e.param}", True)
    check(what, False)


models = client.models.list().data
base = next(m.id for m in models if m.parent is None)
adapters = [m.id for m in models if m.parent == base]
check(f"models: {base} and {adapters}", client.models.retrieve(base).id == base)

ask = dict(messages=[{"role": "user", "content": "public class"}], max_tokens=24, temperature=0)
texts = {}
for name in [base] + adapters:
    answer = client.chat.completions.create(model=name, **ask)
    texts[name] = answer.choices[0].message.content
    check(
        f"chat through {name}: {answer.usage.completion_tokens} tokens, {answer.choices[0].finish_reason}",
        answer.choices[0].finish_reason in ("stop", "length") and answer.usage.total_tokens > 0,
    )

parts, usage = [], None
for event in client.chat.completions.create(model=base, stream=True, stream_options={"include_usage": True}, **ask):
    parts += [c.delta.content or "" for c in event.choices]
    usage = event.usage or usage
check("the stream says the same", "".join(parts) == texts[base] and usage.completion_tokens > 0)

told = client.chat.completions.create(model=base, logprobs=True, top_logprobs=3, **ask).choices[0].logprobs
check("logarithms of a chat", all(len(t.top_logprobs) == 3 and t.logprob <= 0 for t in told.content))

several = client.completions.create(model=base, prompt=["int a", "int b"], n=2, max_tokens=5, logprobs=2, seed=1)
check("completions of two prompts", [c.index for c in several.choices] == [0, 1, 2, 3])
check("their logarithms", all(len(c.logprobs.tokens) == len(c.logprobs.text_offset) for c in several.choices))
echo = client.completions.create(model=base, prompt="int a", echo=True, max_tokens=3, stop=["\n"])
check("echo", echo.choices[0].text.startswith("int a"))

schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1, "maximum": 9}}, "required": ["n"]}
held = client.chat.completions.create(
    model=base, **{**ask, "max_tokens": 300},
    response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": schema}},
).choices[0].message.content
check("a schema: " + held, 1 <= json.loads(held)["n"] <= 9)
chosen = client.completions.create(model=base, prompt="a", extra_body={"guided_choice": ["left", "right"]})
check("a choice: " + chosen.choices[0].text, chosen.choices[0].text in ("left", "right"))

together = {}
threads = [
    threading.Thread(
        target=lambda n=name, i=i: together.__setitem__(
            (n, i), client.chat.completions.create(model=n, **ask).choices[0].message.content
        )
    )
    for name in texts
    for i in range(4)
]
[t.start() for t in threads]
[t.join() for t in threads]
check(f"{len(threads)} at a time", len(together) == len(threads) and all(together[k] == texts[k[0]] for k in together))

try:
    made = client.embeddings.create(model=base, input=["one", "two"])
    check(f"embeddings of width {len(made.data[0].embedding)}", len(made.data) == 2)
except openai.NotFoundError:
    print("no embeddings here")

refused(openai.NotFoundError, "unknown model", lambda: client.completions.create(model="nobody", prompt="a"))
refused(openai.BadRequestError, "temperature", lambda: client.completions.create(model=base, prompt="a", temperature=-1))
refused(openai.BadRequestError, "long prompt", lambda: client.completions.create(model=base, prompt="word " * 9000))
if key != "none":
    other = openai.OpenAI(base_url=url + "/v1", api_key="wrong", max_retries=0)
    refused(openai.AuthenticationError, "wrong key", lambda: other.models.list())
print(checks, "checks are good")
