import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Conversation } from './conversation.js';
import { takeSession } from './session.js';

/** The chat's id is the page's own: any string. Here it stands in the address, so that a reload comes back to it. */
location.hash ||= crypto.randomUUID();
const root = document.getElementById('root');
if (root)
  createRoot(root).render(
    <StrictMode>
      <Conversation id={location.hash.slice(1)} token={await takeSession()} />
    </StrictMode>,
  );
