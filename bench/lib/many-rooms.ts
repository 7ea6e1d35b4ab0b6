import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { conversationRoom, type Room } from '../../src/wire/room.js';

/** So many conversations of one user, made all at once. */
export async function makeRooms(databaseUrl: string, userId: string, count: number): Promise<Room[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      `with made as (insert into conversations (id, concurrency) select unnest($1::uuid[]), 'queue' returning id)
       insert into members (conversation_id, user_id, role) select id, $2, 'owner' from made`,
      [ids, userId],
    );
  } finally {
    await client.end();
  }
  return ids.map(conversationRoom);
}
