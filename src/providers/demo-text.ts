import { demoHash } from './demo-tokens.js';
import type { DemoPrompt } from './demo-request.js';

const maxWords = 5000;
const longWords = 600;

/** The Markdown answer to a prompt; the same for the same prompt, its prefill left aside. */
export function demoText({ question, speaker, toolResults }: DemoPrompt): string {
  const seed = demoHash(question);
  if (toolResults.length) return [...toolResults.map(toolParagraph), afterTools, key].join('\n\n');
  const opening = pick(openings, seed)(speaker ?? 'You', speaker ? 'asks' : 'ask');
  const body = pick(bodies, seed >>> 4);
  const paragraphs = [opening, quote(question), ...body];
  const wanted = wantedWords(question);
  for (let part = 1; wordsOf(paragraphs) < wanted - 30; part += 1) paragraphs.push(longerPart(seed, part));
  return [...paragraphs, key].join('\n\n');
}

/** What the demo model thinks before it answers. */
export function demoThinking({ question, speaker }: DemoPrompt): string {
  return [
    `${speaker ?? 'The user'} wants to know: ${shorten(question)}.`,
    'I am only the demo model, so I cannot really know. But I can show how thinking looks when it is streamed:',
    'it comes in a block of its own, before the text, and closes with a signature.',
    `I choose one of my ${bodies.length} answers by the words of the question, and write it down at a steady pace.`,
  ].join(' ');
}

type Opening = (who: string, asks: string) => string;

const openings: Opening[] = [
  (who, asks) => `A good one to try things out with. ${who} ${asks}:`,
  (who, asks) => `Let me show you what an answer looks like on its way through here. ${who} ${asks}:`,
  (who, asks) => `Thank you for the question! ${who} ${asks}:`,
  (who, asks) => `Here is an answer that everyone in this room can watch at the same time. ${who} ${asks}:`,
];

const bodies: string[][] = [
  [
    'A real model would think about that. I am the **demo model**: I have a handful of answers and pick one by the words of the question, so the same question always gets the same answer.',
    'What you see is real all the same. On its way to this window every piece of text',
    '1. left a small server that speaks the wire format of the Messages API,\n2. was read by a worker through the real SDK,\n3. was appended to the log of this room,\n4. and was fanned out to every open window.',
    'You can watch it from a terminal, too:',
    '```sh\ncurl -N "$URL/v1/conversations/$ID/events" \\\n  -H "Authorization: Bearer $TOKEN"\n```',
    'Try to reload the page in the middle of an answer: nothing is lost, and nothing comes twice.',
  ],
  [
    'I have to be honest: I do not know. I am the **demo model**, a program of a few hundred lines that has read nothing but your question. But I am good at *arriving piece by piece*, and that is what there is to see here.',
    'Some things that are worth a try:',
    '- open this conversation in a second window and watch both,\n- press **Stop** while I write: what I have written stays,\n- ask two questions in a row: the second waits for the first,\n- ask for *500 words*, and read along while they come.',
    'Each piece reaches a client as one event, about like this:',
    '```json\n{\n  "type": "generation.chunk",\n  "chunk": {\n    "type": "content_block_delta",\n    "index": 0,\n    "delta": { "type": "text_delta", "text": "Hell" }\n  }\n}\n```',
    'As you see, a piece may end in the middle of a word. Clients just put the pieces together.',
  ],
  [
    'If I were a language model, this would be my answer. As I am only the **demo model**, let me tell you about the way that it takes instead.',
    '> An answer is not sent to the one who asked. It is written to a log, and everyone who may see the room reads that log.',
    'That is why late joiners get all of it, and why a lost connection does no harm:',
    '- *the queue* remembers what is still to be answered,\n- *the log* remembers what has been said,\n- *the cursor* remembers how far you have read.',
    'For a client it comes down to a few lines:',
    "```ts\nconst socket = io(url, { auth: { token } });\nsocket.on('generation.chunk', ({ chunk, cursor }) => {\n  apply(chunk);\n  last = cursor;\n});\nsocket.emit('join', { room, after: last });\n```",
  ],
  [
    'The short answer: it depends. The longer answer: it depends on a model that is not here, because you are talking to the **demo model**. It needs no key and no network, and it answers as a stream like the big ones.',
    'Here is what it can do besides plain text:',
    '- **think** before it answers, when thinking is switched on,\n- **call a tool**, when it has one and you mention it,\n- **answer as JSON**, when you ask for it,\n- **go on** from where an answer was broken off.',
    'And it is exact about counting. In this house a token has four characters:',
    '```python\ndef tokens(text: str) -> int:\n    return -(-len(text) // 4)\n```',
    'Nobody would bill you for it, though: what the demo model writes costs nothing. ☕',
  ],
  [
    'Imagine a small orchestra. Your message is the score, the queue is the music stand, the worker plays, and everybody in the room hears the same note at the same time. I am the **demo model**, so I only know a few tunes; but I play them in time.',
    'Three rules keep the concert together:',
    '1. Nothing is lost: who comes late gets what has been played so far.\n2. Nothing comes twice: each event has a cursor, and yours is remembered.\n3. Nothing is out of order: there is one log for each room.',
    'When the conductor taps, the music stops at once:',
    '```http\nPOST /v1/generations/{id}/cancel HTTP/1.1\nAuthorization: Bearer <token>\n```',
    'What has been heard by then is kept, in every window, with the same last word.',
  ],
];

const key =
  '*This is the demo model. For real answers set `ANTHROPIC_API_KEY` and start again; the rest stays as it is.*';

const afterTools =
  'That is the whole round: I asked for the tool, the worker ran it, and its result came back to me with the rest of the conversation.';

const sentences = [
  'A stream is a promise that is kept a little at a time.',
  'Whoever joins late reads what was said before, and then listens with the others.',
  'The queue holds a question until somebody has time for it, and a crash does not make it forget.',
  'Between two pieces of text there is always room to change your mind and press Stop.',
  'A log is a simple thing: it only ever grows at one end, and everybody may read it.',
  'If the connection breaks, the cursor knows where the reading has to go on.',
  'Ten windows show the same words, because they all read from the same place.',
  'The worker does not wait for the slowest reader; the slowest reader catches up in bigger steps.',
  'When a process dies, another one takes over from the last word that was written.',
  'Order matters more than speed, but there is no reason not to have both.',
  'Text may be cut anywhere, even in the middle of a word, and nobody should notice.',
  'What is written down in two places must be decided in one of them.',
];

function longerPart(seed: number, part: number): string {
  const first = seed + part * 5;
  const chosen = Array.from({ length: 5 }, (_, index) => pick(sentences, first + index * 7));
  return `## Part ${part}\n\n${chosen.join(' ')}`;
}

/** How many words the question asks for; 0: it does not say. */
function wantedWords(question: string): number {
  const asked = /\b(\d{1,5})[\s-]*words?\b/i.exec(question)?.[1];
  if (asked) return Math.min(Number(asked), maxWords);
  return /\b(long|longer|detailed|in detail|essay)\b/i.test(question) ? longWords : 0;
}

function toolParagraph({ name, output }: DemoPrompt['toolResults'][number]): string {
  return `The tool \`${name}\` answered:\n\n${quote(output)}`;
}

function quote(text: string): string {
  return `> ${shorten(text) || '(nothing)'}`;
}

const quotedCharacters = 200;

/** The text in one line that is not too long; no character is cut. */
function shorten(text: string): string {
  const line = text
    .slice(0, 2 * quotedCharacters)
    .replace(/\s+/g, ' ')
    .trim();
  const cut = line.length > quotedCharacters ? `${line.slice(0, quotedCharacters)}…` : line;
  return cut.toWellFormed().replaceAll('\ufffd', '');
}

function wordsOf(paragraphs: string[]): number {
  return paragraphs.join(' ').split(/\s+/).length;
}

function pick<T>(choices: readonly T[], seed: number): T {
  const choice = choices[seed % choices.length];
  if (choice === undefined) throw new RangeError('There is nothing to choose from.');
  return choice;
}
