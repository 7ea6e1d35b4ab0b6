import type { BodySchemas } from './named-schemas.js';
import type { Operation } from './operation.js';
import { accountOperations } from './operations/account.js';
import { conversationOperations } from './operations/conversations.js';
import { documentOperations } from './operations/documents.js';
import { eventOperations } from './operations/events.js';
import { generationOperations } from './operations/generations.js';
import { messageOperations } from './operations/messages.js';
import { operatorOperations } from './operations/operators.js';
import { webhookOperations } from './operations/webhooks.js';

/** Every route, but for the doors that speak other people's languages (`/anthropic`, `/ai-sdk`). */
export const operationsOf = (bodies: BodySchemas): Operation[] => [
  ...accountOperations(bodies),
  ...conversationOperations(bodies),
  ...messageOperations(bodies),
  ...generationOperations(),
  ...documentOperations(bodies),
  ...eventOperations(),
  ...webhookOperations(bodies),
  ...operatorOperations(bodies),
];
