import { z } from 'zod';
import { documentPhases } from '../../domain/document-phase.js';
import {
  documentStatuses,
  type CitedText,
  type Document,
  type DocumentHead,
  type Entity,
  type Section,
  type SectionHead,
  type SectionWithSource,
} from '../../domain/document.js';
import { id, time } from './common.js';
import { tokenUsage } from './generation.js';

/** What is answered about documents. */

const error = z.object({ code: z.string(), message: z.string() }).nullable();

export const sectionStatus = z.enum(['pending', 'running', 'done', 'cancelled', 'failed']);

const sectionHead = z.object({
  index: z.int().min(0),
  title: z.string(),
  status: sectionStatus,
  error,
}) satisfies z.ZodType<SectionHead>;

const section = z.object({
  ...sectionHead.shape,
  text: z.string().describe('Its analysis, as far as it is written; not the source.'),
}) satisfies z.ZodType<Section>;

export const sectionWithSource = z.object({
  ...section.shape,
  source: z.string(),
}) satisfies z.ZodType<SectionWithSource>;

const sections = z.array(z.int().min(0)).describe('Indexes of the sections that say so.');
const citedText = z.object({ text: z.string(), sections }) satisfies z.ZodType<CitedText>;
const entity = z.object({ name: z.string(), type: z.string(), sections }) satisfies z.ZodType<Entity>;

/** Without texts. */
export const documentHead = z.object({
  id,
  name: z.string(),
  mediaType: z.string(),
  bytes: z.int().min(0),
  status: z.enum(documentStatuses),
  phase: z.enum(documentPhases).nullable(),
  progress: z.object({
    sectionsDone: z.int().min(0),
    sectionsTotal: z.int().min(0),
    percent: z.int().min(0).max(100),
    remainingMs: z.int().min(0).nullable(),
  }),
  sections: z.array(sectionHead),
  usage: tokenUsage,
  costUsd: z.number(),
  error,
  createdAt: time,
  endedAt: time.nullable(),
}) satisfies z.ZodType<DocumentHead>;

export const document = z.object({
  ...documentHead.shape,
  sections: z.array(section),
  result: z
    .object({
      summary: z.string().nullable(),
      keyPoints: z.array(citedText),
      entities: z.array(entity),
      recommendations: z.array(citedText),
    })
    .describe('What there is of it; null or empty: not yet.'),
}) satisfies z.ZodType<Document>;
