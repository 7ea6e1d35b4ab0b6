import type { Telemetry } from 'bullmq';

export type SpanAttributes = Record<string, string | number | boolean>;

interface SpanOptions {
  /** `server` alone begins a trace where there is none; the others are recorded within one. */
  kind?: 'server' | 'client' | 'internal';
  attributes?: SpanAttributes;
  /** W3C trace context to go on from, instead of that which is active. */
  parent?: string | undefined;
}

/** A step of a trace that is under way. */
export interface Span {
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
}

/** What records traces: `otel-tracing.ts`, where that is asked for. */
export interface Tracing {
  inSpan<T>(name: string, work: (span: Span) => Promise<T>, options: SpanOptions): Promise<T>;
  /** Runs the work as part of the trace that `traceparent` names; without one as part of none. */
  within<T>(traceparent: string | undefined, work: () => T): T;
  /** Tells of the span that is active. */
  event(name: string, attributes: SpanAttributes | undefined): void;
  set(attributes: SpanAttributes): void;
  readonly current: { traceparent: string; traceId: string } | undefined;
  /** For BullMQ's queues and workers. */
  readonly telemetry: Telemetry;
  /** Sends what is left. */
  close(): Promise<void>;
}

/** The process's, as a trace goes through all of it: with whom each line runs, the runtime knows. */
let installed: Tracing | undefined;

const noSpan: Span = { rename: () => undefined, set: () => undefined };

/** From here on traces are recorded. Before it, and without it, everything below costs a look at a variable. */
export function installTracing(tracing: Tracing): void {
  installed = tracing;
}

export const isTracing = (): boolean => installed !== undefined;

/** Runs the work as a step of the active trace. A failure of it is one of the step. */
export const inSpan = <T>(
  name: string,
  work: (span: Span) => Promise<T>,
  options: SpanOptions = {},
): Promise<T> => (installed ? installed.inSpan(name, work, options) : work(noSpan));

export const withinTrace = <T>(traceparent: string | undefined, work: () => T): T =>
  installed ? installed.within(traceparent, work) : work();

/** Something has happened in the step that is active. */
export const traceEvent = (name: string, attributes?: SpanAttributes): void =>
  installed?.event(name, attributes);

/** Says more of the step that is active. */
export const traceAttributes = (attributes: SpanAttributes): void => installed?.set(attributes);

/** W3C trace context of the step that is active; null: none is. */
export const currentTraceparent = (): string | null => installed?.current?.traceparent ?? null;

/** The active trace, for log lines. */
export function traceFields(): { traceId?: string } {
  const traceId = installed?.current?.traceId;
  return traceId === undefined ? {} : { traceId };
}

/** For BullMQ's queues and workers. */
export const queueTelemetry = (): Telemetry | undefined => installed?.telemetry;
