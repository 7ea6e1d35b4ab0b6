/** Asks through the client library: one handle, read by an iterator and by two handlers that know nothing of each other. */
import { ask, GenerationFailed } from '../src/client/index.js';
import { signIn, url } from './support.js';

const { http, token } = await signIn('Ada');
const { id } = await http.createConversation({ title: 'One handle' });

// `url` and `getToken` are all it needs; in a page of the server's own `getToken` alone.
const handle = (await ask(id, 'Tell me 100 words.', { url, getToken: () => token }))
  .addHandler(
    'words',
    (delta, words: number | undefined) => (words ?? 0) + (delta.match(/\s+/g)?.length ?? 0),
  )
  .addHandler('longest', (delta, longest: string | undefined) =>
    delta.length > (longest?.length ?? 0) ? delta : (longest ?? ''),
  );

try {
  for await (const delta of handle) process.stdout.write(delta);
  const { status, usage } = await handle.finished;
  console.log(`\n\n${status}, ${usage?.outputTokens ?? 0} tokens`);
  console.log(
    `about ${handle.results.words ?? 0} words; the longest piece: ${JSON.stringify(handle.results.longest)}`,
  );
} catch (error) {
  if (!(error instanceof GenerationFailed)) throw error;
  console.log(`\n\nfailed after ${handle.text.length} characters: ${error.message}`);
}
