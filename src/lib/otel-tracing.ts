import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  INVALID_SPAN_CONTEXT,
  type Context,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import { SpanKind as JobSpanKind, type Telemetry } from 'bullmq';
import { BullMQOtel, BullMQOTelSpan } from 'bullmq-otel';
import type { Span, Tracing } from './tracing.js';

interface OtelOptions {
  /** Of an OTLP receiver that takes HTTP, without `/v1/traces`. */
  endpoint: string;
  serviceName: string;
  role: string;
  /** Share of the traces begun here that are recorded; a caller's own says for itself. */
  sampleRatio: number;
}

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL };

/** Records traces and sends them as OTLP over HTTP, in JSON. Import it only where that is asked for: it is large. */
export function createOtelTracing({ endpoint, serviceName, role, sampleRatio }: OtelOptions): Tracing {
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'tokencast.role': role }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint}/v1/traces` }))],
  });
  provider.register();
  // The context goes through the whole process, the recorder does not: SDKs of providers would write prompts into it.
  trace.disable();
  const tracer = provider.getTracer('tokencast');

  return {
    inSpan(name, work, { kind = 'internal', attributes, parent }) {
      const around = parent === undefined ? context.active() : extract(parent);
      if (kind !== 'server' && !trace.getSpan(around)) return work(noSpan);
      const span = tracer.startSpan(name, { kind: kinds[kind], ...(attributes && { attributes }) }, around);
      const told: Span = {
        rename: (to) => span.updateName(to),
        set: (more) => span.setAttributes(more),
      };
      return context.with(trace.setSpan(around, span), async () => {
        try {
          return await work(told);
        } catch (error) {
          // Never the message: it may quote what somebody wrote.
          span.setStatus({ code: SpanStatusCode.ERROR });
          span.setAttribute('error.type', typeOf(error));
          throw error;
        } finally {
          span.end();
        }
      });
    },
    within: (traceparent, work) =>
      context.with(traceparent === undefined ? ROOT_CONTEXT : extract(traceparent), work),
    event: (name, attributes) => trace.getActiveSpan()?.addEvent(name, attributes),
    set: (attributes) => trace.getActiveSpan()?.setAttributes(attributes),
    get current() {
      const active = trace.getActiveSpan()?.spanContext();
      if (!active || !trace.isSpanContextValid(active)) return undefined;
      const carrier: { traceparent?: string } = {};
      propagation.inject(context.active(), carrier);
      return carrier.traceparent === undefined
        ? undefined
        : { traceparent: carrier.traceparent, traceId: active.traceId };
    },
    telemetry: {
      contextManager: new BullMQOtel().contextManager,
      tracer: {
        startSpan: (name, options, parent) => {
          // Looking for jobs, renewing locks: several a second, of no trace.
          const span =
            options?.kind === JobSpanKind.INTERNAL
              ? trace.wrapSpanContext(trace.getActiveSpan()?.spanContext() ?? INVALID_SPAN_CONTEXT)
              : tracer.startSpan(name, options, parent);
          return new BullMQOTelSpan(span);
        },
      },
    } satisfies Telemetry<Context>,
    close: () => provider.shutdown(),
  };
}

const noSpan: Span = { rename: () => undefined, set: () => undefined };

const extract = (traceparent: string): Context => propagation.extract(ROOT_CONTEXT, { traceparent });

function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
