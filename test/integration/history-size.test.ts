import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrateDatabase, openStore, type Store } from '../../src/store/database.js';
import { insertConversation } from '../../src/store/conversations.js';
import {
  editMessage,
  finishMessage,
  insertMessages,
  sizeInHistory,
  sizeOfHistory,
} from '../../src/store/messages.js';
import { answerWrite, promptWrite } from '../../src/store/new-messages.js';
import { saveUser } from '../../src/store/users.js';
import { writeTogether } from '../../src/store/write-together.js';
import { createTestDatabase, type TestDatabase } from '../support/stores.js';

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrateDatabase(database.url);
  store = openStore({ url: database.url, maxConnections: 2 });
});
afterAll(async () => {
  await store.close();
  await database.dispose();
});

test('a history has the size of what is in it, whoever has written that, and in whichever way', async () => {
  const [ada, conversationId] = [{ id: `ada-${randomUUID()}`, name: 'Ada' }, randomUUID()];
  const settings = { id: conversationId, title: null, system: null, model: null, documentId: null };
  const saying = (text: string) => [{ type: 'text' as const, text }];
  const [first, question, answer, open] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const prompt = {
    ...{ conversationId, clientId: null, metadata: null, author: ada, createdAt: new Date() },
    origin: { ip: null, userAgent: null, sessionId: null },
  };
  const said = [
    saying('Grüß Gott! '.repeat(40)),
    saying('Why are there tides?'),
    saying('The moon. 🌕'.repeat(99)),
  ] as const;
  await saveUser(store.db, ada);
  await store.db.transaction(async (tx) => {
    await insertConversation(tx, { ...settings, concurrency: 'queue', nextPosition: 6 }, ada.id);
    const brought = { id: first, conversationId, role: 'user', status: 'complete', position: 0 } as const;
    await insertMessages(tx, [{ ...brought, content: saying('first') }]);
    await editMessage(tx, first, said[0]);
    await writeTogether(tx, [
      promptWrite({ ...prompt, id: question, content: said[1], position: 2 }),
      answerWrite({ id: answer, conversationId, generationId: randomUUID(), position: 3 }),
    ]);
    await finishMessage(tx, answer, said[2], 'complete');
    await writeTogether(tx, [
      answerWrite({ id: open, conversationId, generationId: randomUUID(), position: 5 }),
    ]);
  });
  const size = (upTo = 9) => sizeOfHistory(store.db, conversationId, upTo);
  const atMost = said.reduce((sum, content) => sum + sizeInHistory(content), 0);
  const whole = await size();
  expect(whole).toBeLessThanOrEqual(atMost);
  expect(whole).toBeGreaterThan(0.95 * atMost);
  expect(await size(2)).toBeLessThan(sizeInHistory(said[0]) + sizeInHistory(said[1]));

  // As a process of an older version does, which knows nothing of it.
  await store.db.execute(sql`update messages set content = '[]' where id = ${answer}`);
  expect(await size()).toBeLessThan(whole - 99 * 'The moon.'.length);
  const before = await size();
  await store.db.execute(sql`update messages set bytes = null where conversation_id = ${conversationId}`);
  expect(await size()).toBe(before);
});
