import type { UIMessage } from 'ai';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Conversation } from './conversation.js';
import { takeSession } from './session.js';

/** The chat's id is the page's own: any string. Here it stands in the address, so that a reload comes back to it. */
location.hash ||= crypto.randomUUID();
const id = location.hash.slice(1);
const token = await takeSession();

/** What has been said; what is being written comes with `resume`. */
const response = await fetch(`/ai-sdk/chat/${encodeURIComponent(id)}`, {
  headers: { authorization: `Bearer ${token}` },
});
const { messages } = (await response.json()) as { messages: UIMessage[] };

const root = document.getElementById('root');
if (root)
  createRoot(root).render(
    <StrictMode>
      <Conversation id={id} token={token} history={messages} />
    </StrictMode>,
  );
