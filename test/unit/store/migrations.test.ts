import { readdirSync, readFileSync } from 'node:fs';
import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api';
import { expect, test } from 'vitest';
import * as budgets from '../../../src/store/schema/budgets.js';
import * as conversations from '../../../src/store/schema/conversations.js';
import * as documents from '../../../src/store/schema/documents.js';
import * as generations from '../../../src/store/schema/generations.js';
import * as idempotencyKeys from '../../../src/store/schema/idempotency-keys.js';
import * as outbox from '../../../src/store/schema/outbox.js';
import * as users from '../../../src/store/schema/users.js';
import * as webhooks from '../../../src/store/schema/webhooks.js';

const snapshots = new URL('../../../src/store/migrations/meta/', import.meta.url);

test('the migrations make all that the schema has, so that the next one begins there', async () => {
  const newest = readdirSync(snapshots)
    .filter((name) => name.endsWith('_snapshot.json'))
    .sort()
    .at(-1);
  const made: unknown = JSON.parse(readFileSync(new URL(newest ?? '', snapshots), 'utf8'));
  const schema = {
    ...budgets,
    ...conversations,
    ...documents,
    ...generations,
    ...idempotencyKeys,
    ...outbox,
    ...users,
    ...webhooks,
  };
  expect(await generateMigration(made as never, generateDrizzleJson(schema))).toEqual([]);
});
