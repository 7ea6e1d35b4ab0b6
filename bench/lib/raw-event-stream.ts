import { ask, type AnswerListener, type Place } from './raw-http.js';

const endOfEvent = Buffer.from('\n\n');

/**
 * Opens an event stream. `onData` gets whole events, as they came: one or more, between the marks of HTTP's chunked
 * encoding, none of which stands within an event.
 */
export function openEventStream(place: Place, { onData, ...listener }: AnswerListener): void {
  let rest: Buffer = Buffer.alloc(0);
  const onBytes = (data: Buffer) => {
    const buffer = rest.length > 0 ? Buffer.concat([rest, data]) : data;
    const last = buffer.lastIndexOf(endOfEvent);
    const end = last < 0 ? 0 : last + endOfEvent.length;
    if (end > 0) onData(buffer.subarray(0, end));
    rest = buffer.subarray(end);
  };
  ask(place, ['Accept: text/event-stream'], 200, { ...listener, onData: onBytes });
}
