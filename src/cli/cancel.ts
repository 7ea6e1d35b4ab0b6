import { TokencastError } from '../client/index.js';
import { messageOf } from './message-of.js';
import type { GuestOptions } from './options.js';
import { parsePlace } from './place.js';
import { signIn, type SignedIn } from './sign-in.js';

/** `tokencast cancel`: a generation, all that runs or waits in a conversation, or a document. Resolves with the exit code. */
export async function cancel(what: string, options: GuestOptions): Promise<number> {
  try {
    const place = parsePlace(what);
    console.log(await cancelAt(await signIn(options), place));
    return 0;
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  }
}

/** Says what was cancelled. @throws TokencastError */
async function cancelAt(me: SignedIn, { kind, id }: ReturnType<typeof parsePlace>): Promise<string> {
  switch (kind) {
    case 'generation':
      await me.http.cancelGeneration(id);
      return 'The answer is being stopped.';
    case 'conversation': {
      const { length } = (await me.http.cancelConversation(id)).generations;
      if (length === 0) return 'Nothing is being answered there.';
      return `${length} ${length === 1 ? 'answer is' : 'answers are'} being stopped.`;
    }
    case 'document':
      await me.http.cancelDocument(id);
      return 'The document’s analysis is being stopped.';
    case 'invite':
      throw new Error('A link of an invitation cannot be stopped: name the room.');
    case 'id':
      for (const each of ['generation', 'conversation'] as const)
        try {
          return await cancelAt(me, { kind: each, id });
        } catch (error) {
          if (!(error instanceof TokencastError) || error.code !== 'not_found') throw error;
        }
      return cancelAt(me, { kind: 'document', id });
  }
}
