/**
 * A model in a process of its own, on Anthropic's wire format, which costs as little as can be: events are encoded
 * beforehand and written straight to the sockets.
 *
 * With a rate, answers begin and wait until it is told to write; then they go on until they are closed, so many chunks a
 * second each, all answers taking turns. Without one an answer is one short chunk, at once.
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { chunkText, nowUs } from '../fan-out/work.js';
import { serve } from './serve.js';

/** Within so long all answers go on. */
const startUs = 2e6;

interface Answer {
  socket: Socket;
  /** The number of its next chunk. */
  next: number;
}

let chunksPerSecond = 0;
const answers: Answer[] = [];
let sent = 0;
let sinceCpu = process.cpuUsage();
let sinceUs = nowUs();

const event = (type: string, fields: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
/** A piece of a body in HTTP's chunked encoding. */
const framed = (body: string) => `${body.length.toString(16)}\r\n${body}\r\n`;
const delta = (text: string) =>
  event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } });

const start =
  event('message_start', {
    message: {
      id: 'msg_bench',
      type: 'message',
      role: 'assistant',
      model: 'bench',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 10, output_tokens: 1 },
    },
  }) + event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
const end =
  event('content_block_stop', { index: 0 }) +
  event('message_delta', {
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 10 },
  }) +
  event('message_stop', {});
const whole = start + delta('A short answer.') + end;
/** All texts have one length: what stands around them is encoded once. */
const blank = chunkText(0);
const [before = '', after = ''] = framed(delta(blank)).split(blank);

const handlers = {
  /** Answers with where it listens. */
  listen: async (rate: number) => {
    chunksPerSecond = rate;
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
  /** Has all answers go on that have begun. */
  write: () => {
    writeOn();
  },
  /** What is reported is counted from here on. */
  measure: () => {
    sent = 0;
    sinceCpu = process.cpuUsage();
    sinceUs = nowUs();
  },
  /** Chunks since then, answers that are being written, and the share of its core that this process took. */
  report: () => {
    const { user, system } = process.cpuUsage(sinceCpu);
    return { sent, open: answers.length, cpuShare: (user + system) / (nowUs() - sinceUs) };
  },
};
export type ModelHandlers = typeof handlers;

const server = createServer((request, response) => {
  void textOf(request).then(() => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'req_bench' });
    if (chunksPerSecond > 0) begin(response);
    else response.end(whole);
  });
});

serve(handlers);

function begin(response: ServerResponse): void {
  response.write(start);
  const { socket } = response;
  if (!socket) return;
  const answer = { socket, next: 0 };
  answers.push(answer);
  socket.once('close', () => answers.splice(answers.indexOf(answer), 1));
}

function writeOn(): void {
  const sinceUs = nowUs();
  let lastUs = sinceUs;
  let due = 0;
  let turn = 0;
  setInterval(() => {
    const us = nowUs();
    // One after the other, as they would have begun: else what each does once a second they all do at once.
    const going = Math.min(answers.length, ((us - sinceUs) / startUs) * answers.length);
    due += ((us - lastUs) / 1e6) * going * chunksPerSecond;
    lastUs = us;
    for (; due >= 1; due -= 1) {
      const answer = answers[(turn += 1) % Math.ceil(going)];
      if (!answer) continue;
      answer.socket.write(before + chunkText(answer.next) + after, 'latin1');
      answer.next += 1;
      sent += 1;
    }
  }, 1);
}
