// The page of `gatun serve`: one conversation, kept in this tab and nowhere else.
'use strict';

const $ = (id) => document.getElementById(id);
const conversation = []; // {role, content}
let running = null; // AbortController of the answer that is being written

function headers() {
  const key = $('key').value;
  return {
    'Content-Type': 'application/json',
    ...(key && { Authorization: `Bearer ${key}` }),
  };
}

function say(text, isError = false) {
  $('status').textContent = text;
  $('status').classList.toggle('error', isError);
}

// The message of an error that the server answered with, or of one on the way.
async function errorOf(response) {
  const body = await response.json().catch(() => null);
  return new Error(body?.error?.message ?? `the server answered ${response.status}`);
}

async function listModels() {
  const chosen = $('model').value;
  try {
    const response = await fetch('v1/models', { headers: headers() });
    $('key-label').hidden = $('key-label').hidden && response.status !== 401;
    if (!response.ok) {
      throw await errorOf(response);
    }
    const models = (await response.json()).data;
    $('model').replaceChildren(
      ...models.map((model) => new Option(
        model.parent ? `${model.id} (adapter of ${model.parent})` : model.id, model.id)));
    if (models.some((model) => model.id === chosen)) {
      $('model').value = chosen;
    }
    say('');
  } catch (error) {
    say(error.message, true);
  }
}

function show(role, text) {
  $('hint')?.remove();
  const message = document.createElement('article');
  message.className = `message ${role}`;
  message.setAttribute('aria-label', role);
  message.textContent = text;
  $('messages').append(message);
  $('messages').scrollTop = $('messages').scrollHeight;
  return message;
}

function figures(text, isError = false) {
  const line = document.createElement('p');
  line.className = isError ? 'figures error' : 'figures';
  line.textContent = text;
  $('messages').append(line);
  $('messages').scrollTop = $('messages').scrollHeight;
}

// Yields the JSON of each event of a stream, until its end.
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  while (true) {
    const { done, value } = await reader.read();
    if (done) {
      throw new Error('the stream ended before its end');
    }
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines.filter((each) => each.startsWith('data: '))) {
      const data = line.slice('data: '.length);
      if (data === '[DONE]') {
        return;
      }
      yield JSON.parse(data);
    }
  }
}

async function ask() {
  running = new AbortController();
  const answer = { role: 'assistant', content: '' };
  const box = show('assistant', '');
  const began = performance.now();
  let first = 0;
  let tokens = 0;
  let reason = 'stopped';
  try {
    const response = await fetch('v1/chat/completions', {
      method: 'POST',
      headers: headers(),
      signal: running.signal,
      body: JSON.stringify({
        model: $('model').value,
        messages: conversation,
        temperature: $('temperature').valueAsNumber,
        max_tokens: $('tokens').valueAsNumber,
        stream: true,
        stream_options: { include_usage: true },
      }),
    });
    if (!response.ok) {
      throw await errorOf(response);
    }
    for await (const event of events(response)) {
      if (event.error) {
        throw new Error(event.error.message);
      }
      const choice = event.choices[0];
      if (choice?.delta.content) {
        first ||= performance.now();
        tokens++;
        answer.content += choice.delta.content;
        box.textContent = answer.content;
        $('messages').scrollTop = $('messages').scrollHeight;
      }
      reason = choice?.finish_reason ?? reason;
      tokens = event.usage?.completion_tokens ?? tokens;
    }
  } catch (error) {
    if (error.name !== 'AbortError') {
      figures(error.message, true);
      return;
    }
  } finally {
    running = null;
    if (answer.content) {
      conversation.push(answer);
    } else { // what was not answered is not asked again with the next message
      conversation.pop();
      box.remove();
    }
  }
  const seconds = (performance.now() - (first || began)) / 1000;
  const rate = tokens > 1 ? ((tokens - 1) / seconds).toFixed(1) : '-';
  figures(`${tokens} tokens, ${rate} tokens/s, finish reason: ${reason}`);
}

function setBusy(busy) {
  $('send').disabled = busy;
  $('stop').disabled = !busy;
  $('clear').disabled = busy;
}

$('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const text = $('text').value;
  if (running || !text.trim()) {
    return;
  }
  $('text').value = '';
  conversation.push({ role: 'user', content: text });
  show('user', text);
  setBusy(true);
  await ask();
  setBusy(false);
  $('text').focus();
});

$('text').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $('form').requestSubmit();
  }
});

$('stop').addEventListener('click', () => running?.abort());

$('clear').addEventListener('click', () => {
  conversation.length = 0;
  $('messages').replaceChildren();
  say('');
  $('text').focus();
});

$('key').addEventListener('change', listModels);
$('model').addEventListener('focus', listModels);

listModels();
