import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { ownPort } from './own-port.js';

/** A span as it was received. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  name: string;
  /** Of the process that recorded it. */
  role: unknown;
  attributes: Record<string, unknown>;
  events: { name: string; atMs: number }[];
  startMs: number;
  endMs: number;
}

interface OtlpValue {
  stringValue?: string;
  intValue?: number | string;
  doubleValue?: number;
  boolValue?: boolean;
}

interface OtlpAttribute {
  key: string;
  value: OtlpValue;
}

interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: OtlpAttribute[];
  events?: { name: string; timeUnixNano: string }[];
}

/** The body of an export in JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
interface OtlpExport {
  resourceSpans: { resource: { attributes: OtlpAttribute[] }; scopeSpans: { spans: OtlpSpan[] }[] }[];
}

const toMs = (nanoseconds: string) => Number(BigInt(nanoseconds) / 1000n) / 1000;

const valueOf = ({ stringValue, intValue, doubleValue, boolValue }: OtlpValue) =>
  stringValue ?? (intValue === undefined ? (doubleValue ?? boolValue) : Number(intValue));

const toRecord = (attributes: OtlpAttribute[] = []) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, valueOf(value)]));

/** Takes what an OTLP exporter sends over HTTP in JSON. */
export async function startOtlpReceiver() {
  const spans: ReceivedSpan[] = [];
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      bodies.push(JSON.stringify(body));
      for (const { resource, scopeSpans } of (body as OtlpExport).resourceSpans) {
        const role = toRecord(resource.attributes)['tokencast.role'];
        for (const span of scopeSpans.flatMap((scope) => scope.spans))
          spans.push({
            traceId: span.traceId,
            spanId: span.spanId,
            // Empty: none.
            parentSpanId: span.parentSpanId === '' ? undefined : span.parentSpanId,
            name: span.name,
            role,
            attributes: toRecord(span.attributes),
            events: (span.events ?? []).map(({ name, timeUnixNano }) => ({ name, atMs: toMs(timeUnixNano) })),
            startMs: toMs(span.startTimeUnixNano),
            endMs: toMs(span.endTimeUnixNano),
          });
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  const port = await ownPort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    /** Whatever was sent, as text. */
    bodies,
    of: (traceId: string) => spans.filter((span) => span.traceId === traceId),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The spans of a trace as a tree, with what happened in them and how long they took. */
export function drawTrace(spans: readonly ReceivedSpan[], parent?: string, depth = 0): string {
  const here = spans
    .filter(({ parentSpanId }) =>
      parent === undefined ? isRoot(spans, parentSpanId) : parentSpanId === parent,
    )
    .sort((a, b) => a.startMs - b.startMs);
  return here
    .map((span) => {
      const indent = '  '.repeat(depth);
      const events = span.events.map(
        ({ name, atMs }) => `${indent}  · ${name} (after ${(atMs - span.startMs).toFixed(1)} ms)\n`,
      );
      const took = `${(span.endMs - span.startMs).toFixed(1)} ms`;
      return `${indent}${span.name} [${String(span.role)}] ${took}\n${events.join('')}${drawTrace(spans, span.spanId, depth + 1)}`;
    })
    .join('');
}

const isRoot = (spans: readonly ReceivedSpan[], parentSpanId: string | undefined) =>
  !spans.some(({ spanId }) => spanId === parentSpanId);
