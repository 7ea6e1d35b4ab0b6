import { z } from 'zod';
import { budgetLimitBody } from '../../wire/budget.js';
import { generationOptionsSchema } from '../../wire/generation-options.js';
import {
  documentOptionsSchema,
  inviteBody,
  readBody,
  sessionBody,
  type ConversationBodies,
} from '../../wire/http.js';
import { budget, me, model, usageReport } from '../../wire/answers/account.js';
import { errorCode, pageOf, problem } from '../../wire/answers/common.js';
import { chunk, contentBlock } from '../../wire/answers/content.js';
import {
  acceptedGeneration,
  acceptedMessage,
  conversation,
  conversationView,
  invite,
  member,
  message,
  session,
  user,
} from '../../wire/answers/conversation.js';
import { document, documentHead, sectionWithSource } from '../../wire/answers/document.js';
import { generation, generationHead, tokenUsage } from '../../wire/answers/generation.js';
import {
  documentNotice,
  generationNotice,
  webhook,
  webhookDelivery,
  webhookWithSecret,
} from '../../wire/answers/webhook.js';
import { newWebhookBody, webhookChangesBody } from '../../wire/webhooks.js';
import { roomEvents, snapshot } from '../../wire/answers/room-events.js';

const upload = z.object({
  file: z.string().meta({ contentMediaType: 'application/octet-stream' }),
  options: documentOptionsSchema.optional(),
});

/** `generation.chunk` is `GenerationChunkEvent`. */
export const eventSchemaName = (type: string): string =>
  `${type.replace(/(?:^|[._])([a-z])/g, (_, letter: string) => letter.toUpperCase())}Event`;

const events = Object.fromEntries([...roomEvents].map(([type, schema]) => [eventSchemaName(type), schema]));

/** Those of answers, which are always the same, by their names in the documents. */
export const answerSchemas = {
  Problem: problem,
  ErrorCode: errorCode,
  Status: z.object({ status: z.string() }),
  Text: z.string(),
  Json: z.record(z.string(), z.unknown()),
  User: user,
  Session: session,
  Me: me,
  Budget: budget,
  Model: model,
  Models: z.object({ items: z.array(model) }),
  UsageReport: usageReport,
  SharedConversation: conversation,
  Conversation: conversationView,
  ConversationPage: pageOf(conversationView),
  Member: member,
  Members: z.object({ items: z.array(member), nextBefore: z.null() }),
  Invite: invite,
  Message: message,
  MessagePage: pageOf(message),
  AcceptedMessage: acceptedMessage,
  AcceptedGeneration: acceptedGeneration,
  TokenUsage: tokenUsage,
  ContentBlock: contentBlock,
  Chunk: chunk,
  Generation: generation,
  GenerationHead: generationHead,
  Generations: z.object({ generations: z.array(generation) }),
  Document: document,
  DocumentHead: documentHead,
  DocumentPage: pageOf(documentHead),
  SectionWithSource: sectionWithSource,
  Webhook: webhook,
  WebhookWithSecret: webhookWithSecret,
  Webhooks: z.object({ items: z.array(webhook), nextBefore: z.null() }),
  Delivery: webhookDelivery,
  DeliveryPage: pageOf(webhookDelivery),
  GenerationNotice: generationNotice,
  DocumentNotice: documentNotice,
  Snapshot: snapshot,
  ...events,
  RoomEvent: z.union([...roomEvents.values()] as unknown as readonly [z.ZodType, ...z.ZodType[]]),
};

/** Those of what is sent. */
export const bodySchemas = (bodies: ConversationBodies) => ({
  NewSession: sessionBody,
  NewConversation: bodies.create,
  ConversationChanges: bodies.update,
  NewMessage: bodies.message,
  MessageEdit: bodies.edit,
  GenerationOptions: generationOptionsSchema,
  NewInvite: inviteBody,
  ReadPosition: readBody,
  NewDocument: upload,
  DocumentOptions: documentOptionsSchema,
  BudgetLimit: budgetLimitBody,
  NewWebhook: newWebhookBody,
  WebhookChanges: webhookChangesBody,
});

export type BodySchemas = ReturnType<typeof bodySchemas>;
