import { useChat } from '@ai-sdk/react';
import { DefaultChatTransport, isToolUIPart, type UIMessage } from 'ai';
import { useMemo, useState } from 'react';

interface ConversationProps {
  id: string;
  token: string;
  history: UIMessage[];
}

/** One chat: asks, shows the answer as it is written, goes on with it after a reload, and stops it. */
export function Conversation({ id, token, history }: ConversationProps) {
  const [text, setText] = useState('');
  const headers = useMemo(() => ({ authorization: `Bearer ${token}` }), [token]);
  const transport = useMemo(
    () =>
      new DefaultChatTransport({
        api: '/ai-sdk/chat',
        headers,
        body: { generate: { tools: ['get_weather', 'calculator'] } },
      }),
    [headers],
  );
  const { messages, sendMessage, status, error } = useChat({
    id,
    messages: history,
    transport,
    resume: true,
  });
  const isBusy = status === 'submitted' || status === 'streaming';

  // `stop()` of useChat only stops reading. This ends the answer, for everybody, and the stream ends with it.
  const stop = () => fetch(`/ai-sdk/chat/${encodeURIComponent(id)}/stop`, { method: 'POST', headers });

  return (
    <>
      {messages.map((message) => (
        <Message key={message.id} message={message} />
      ))}
      <p role="status">{error ? error.message : status}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setText('');
          void sendMessage({ text });
        }}
      >
        <input
          aria-label="Message"
          value={text}
          onChange={({ target }) => {
            setText(target.value);
          }}
        />
        {isBusy ? (
          // Until the answer has begun its question may still be on its way, and nothing be there to stop.
          <button type="button" disabled={messages.at(-1)?.role !== 'assistant'} onClick={() => void stop()}>
            Stop
          </button>
        ) : (
          <button disabled={text.trim() === ''}>Send</button>
        )}
      </form>
    </>
  );
}

function Message({ message: { role, parts } }: { message: UIMessage }) {
  // What stands before a reset was taken back.
  const valid = parts.slice(parts.findLastIndex(({ type }) => type === 'data-reset') + 1);
  return (
    <article data-role={role}>
      <h2>{role}</h2>
      {valid.map((part, at) => {
        if (part.type === 'text') return <p key={at}>{part.text}</p>;
        if (part.type === 'reasoning') return <blockquote key={at}>{part.text}</blockquote>;
        if (isToolUIPart(part)) return <pre key={at}>{JSON.stringify(part, null, 2)}</pre>;
        return null;
      })}
    </article>
  );
}
