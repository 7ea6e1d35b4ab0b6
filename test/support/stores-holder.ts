/** A process that holds a data folder with both embedded stores until it is killed; tells its parent their addresses. */
import { claimDataDir } from '../../src/embedded/data-dir.js';
import { startEmbeddedPostgres } from '../../src/embedded/postgres.js';
import { startEmbeddedRedis } from '../../src/embedded/redis.js';
import { createLogger } from '../../src/lib/logger.js';

export interface HeldStores {
  redis: { url: string; pid: number };
  postgres: { url: string; pid: number };
}

const log = createLogger({ level: 'silent', role: 'holder' });
const { path: dataDir } = await claimDataDir(process.argv[2] ?? '');
const redis = await startEmbeddedRedis({ dataDir, log });
const postgres = await startEmbeddedPostgres({ dataDir, log });
const held: HeldStores = {
  redis: { url: redis.url, pid: redis.pid },
  postgres: { url: postgres.url, pid: postgres.pid },
};
process.send?.(held);
