/** A generation waiting for a worker. Everything else stands in Postgres; the id is the job's id too. */
export interface GenerationJob {
  generationId: string;
  /** W3C trace context of the request, where there is one. */
  traceparent?: string;
}
