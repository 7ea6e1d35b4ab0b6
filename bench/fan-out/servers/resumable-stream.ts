/**
 * `resumable-stream` as its README has it: whoever asks for a stream resumes it, and gets it as an event stream over HTTP.
 * The streams are produced in the same process, as a server makes them that has been posted to; their text comes from a feed.
 */
import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import { createResumableStreamContext } from 'resumable-stream/ioredis';
import { takeFeed } from '../feed.js';
import { tellReady } from '../ready.js';

const [port = 0, feedPort = 0, redisPort = 0] = process.argv.slice(2).map(Number);
const streams = createResumableStreamContext({
  waitUntil: null,
  publisher: new Redis(redisPort),
  subscriber: new Redis(redisPort),
});
const producers = new Map<string, Promise<ReadableStreamDefaultController<string>>>();

/** Begins a stream, unless it has begun; it goes on although nobody reads what its maker gets. */
function produce(name: string): Promise<ReadableStreamDefaultController<string>> {
  const known = producers.get(name);
  if (known) return known;
  const made = new Promise<ReadableStreamDefaultController<string>>((resolve, reject) => {
    const makeStream = () => new ReadableStream<string>({ start: resolve });
    streams.createNewResumableStream(name, makeStream).catch(reject);
  });
  producers.set(name, made);
  return made;
}

await takeFeed(feedPort, (name, text) => {
  void produce(name).then((producer) => {
    producer.enqueue(`data: ${text}\n\n`);
  });
});

createServer((request, response) => {
  const answer = async () => {
    const name = (request.url ?? '').slice(1);
    await produce(name);
    const stream = await streams.resumeExistingStream(name);
    if (!stream) throw new Error(`there is no stream ${name}`);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    for await (const text of stream) if (text !== '') response.write(text);
  };
  answer().catch((error: unknown) => response.destroy(error as Error));
}).listen(port, '127.0.0.1', tellReady);
