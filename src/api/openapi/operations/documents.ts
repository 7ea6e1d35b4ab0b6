import { listQuery } from '../../../wire/http.js';
import { documentHead } from '../examples.js';
import { answerSchemas, type BodySchemas } from '../named-schemas.js';
import type { AnswerDoc, Operation } from '../operation.js';

const analysis = 'Says why he went to the woods.';

const document = {
  ...documentHead,
  sections: documentHead.sections.map((section) => ({ ...section, text: analysis })),
  result: {
    summary: 'Two years in a hut by a pond.',
    keyPoints: [{ text: 'He wished to live deliberately.', sections: [0] }],
    entities: [{ name: 'Walden Pond', type: 'place', sections: [0] }],
    recommendations: [{ text: 'Simplify.', sections: [0] }],
  },
};

const one: AnswerDoc = { description: 'The document.', schema: answerSchemas.Document, example: document };
const accepted: AnswerDoc = { ...one, headers: ['Idempotency-Replayed'] };
const noBody = { 204: { description: 'Done.' } };
const running = ['budget_exceeded', 'rate_limited', 'queue_full', 'unsupported_model'] as const;

export const documentOperations = ({ NewDocument }: BodySchemas): Operation[] => [
  {
    method: 'post',
    path: '/v1/documents',
    id: 'uploadDocument',
    tag: 'Documents',
    summary: 'Upload a document and have it analysed',
    description: 'Text, Markdown, HTML, PDF or DOCX. The same key with the same file is the same document.',
    caller: 'session',
    headers: ['Idempotency-Key'],
    body: {
      schema: NewDocument,
      mediaType: 'multipart/form-data',
      examples: {
        markdown: {
          summary: 'Two sections of Markdown',
          value: {
            file: '# Economy\n\nI went to the woods.\n\n# Reading\n\nI kept a book on my table.\n',
            options: { model: 'demo', maxTokens: 400 },
          },
        },
      },
    },
    answers: { 202: { ...accepted, headers: ['Location', 'Idempotency-Replayed'] } },
    problems: [...running, 'unreadable_document'],
  },
  {
    method: 'get',
    path: '/v1/documents',
    id: 'listDocuments',
    tag: 'Documents',
    summary: 'The caller’s documents, the newest first',
    caller: 'session',
    query: listQuery,
    answers: {
      200: {
        description: 'A page.',
        schema: answerSchemas.DocumentPage,
        example: { items: [documentHead], nextBefore: null },
      },
    },
  },
  {
    method: 'get',
    path: '/v1/documents/{id}',
    id: 'getDocument',
    tag: 'Documents',
    summary: 'A document, with what there is of its result',
    caller: 'session',
    answers: { 200: one },
  },
  {
    method: 'get',
    path: '/v1/documents/{id}/report.md',
    id: 'getReport',
    tag: 'Documents',
    summary: 'Its result as Markdown',
    caller: 'session',
    answers: {
      200: { description: 'The report.', mediaType: 'text/markdown', schema: answerSchemas.Text },
    },
  },
  {
    method: 'get',
    path: '/v1/documents/{id}/file',
    id: 'getFile',
    tag: 'Documents',
    summary: 'The file as it was sent',
    caller: 'session',
    answers: {
      200: {
        description: 'An attachment, under the media type that it was found to have.',
        mediaType: '*/*',
        schema: answerSchemas.Text,
        headers: ['Content-Disposition'],
      },
    },
  },
  {
    method: 'get',
    path: '/v1/documents/{id}/sections/{index}',
    id: 'getSection',
    tag: 'Documents',
    summary: 'One section, with what was analysed',
    caller: 'session',
    answers: {
      200: {
        description: 'The section.',
        schema: answerSchemas.SectionWithSource,
        example: {
          index: 0,
          title: 'Economy',
          status: 'done',
          error: null,
          text: analysis,
          source: 'I went to the woods.',
        },
      },
    },
  },
  {
    method: 'post',
    path: '/v1/documents/{id}/cancel',
    id: 'cancelDocument',
    tag: 'Documents',
    summary: 'Stop it: what is done stays',
    caller: 'session',
    answers: { 202: one },
    problems: ['document_ended'],
  },
  {
    method: 'post',
    path: '/v1/documents/{id}/resume',
    id: 'resumeDocument',
    tag: 'Documents',
    summary: 'Go on with what is not done',
    caller: 'session',
    headers: ['Idempotency-Key'],
    answers: { 202: accepted },
    problems: [...running, 'document_running', 'document_ended'],
  },
  {
    method: 'post',
    path: '/v1/documents/{id}/sections/{index}/retry',
    id: 'retrySection',
    tag: 'Documents',
    summary: 'Analyse one section anew',
    caller: 'session',
    headers: ['Idempotency-Key'],
    answers: { 202: accepted },
    problems: [...running, 'document_running', 'document_ended'],
  },
  {
    method: 'delete',
    path: '/v1/documents/{id}',
    id: 'deleteDocument',
    tag: 'Documents',
    summary: 'Delete it with all that belongs to it',
    caller: 'session',
    answers: noBody,
  },
];
