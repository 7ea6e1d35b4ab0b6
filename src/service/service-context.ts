import type { JsonSchemas } from '../lib/json-schemas.js';
import type { Logger } from '../lib/logger.js';
import type { GenerationQueues } from '../queue/generation-queue.js';
import type { WebhookQueue } from '../queue/webhook-queue.js';
import type { AnswerCache } from '../redis/answer-cache.js';
import type { CancelFlags } from '../redis/cancel-flags.js';
import type { RoomLog } from '../redis/room-log.js';
import type { Database } from '../store/database.js';
import type { GenerationRow } from '../store/generations.js';
import type { Activity } from './activity.js';
import type { BudgetLimits } from './budget.js';
import type { ModelPolicy } from './model-policy.js';
import type { QueueRoom } from './queue-room.js';
import type { Relay } from './relay.js';
import type { ToolPolicy } from './tool-policy.js';

/** What the commands of this folder work with; made once in each process. */
export interface ServiceContext {
  db: Database;
  relay: Relay;
  activity: Activity;
  roomLog: RoomLog;
  queues: GenerationQueues;
  webhooks: WebhookQueue;
  cancelFlags: CancelFlags;
  answerCache: AnswerCache;
  queueRoom: QueueRoom;
  models: ModelPolicy;
  tools: ToolPolicy;
  schemas: JsonSchemas;
  limits: {
    /** Sections of one document that may be queued or running together. */
    documentSectionsAtOnce: number;
    /** Longest answer, in tokens, when the request does not say: `DEFAULT_MAX_TOKENS`. */
    defaultMaxTokens: number;
  };
  /** What may be spent, where no operator has said otherwise. */
  budgets: BudgetLimits;
  /** Called with every generation that this process has ended, once that is committed. */
  onEnded?: (ended: GenerationRow) => void;
  log: Logger;
}
