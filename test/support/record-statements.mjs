/**
 * For `node --import`: writes every statement that the process sends to Postgres, with the first values that it is sent
 * with, into the file that `STATEMENTS_FILE` names: as JSON, one on each line. With `STATEMENTS_EVERY_TIME` it writes a
 * statement each time that it is sent.
 */
import { appendFileSync } from 'node:fs';
import pg from 'pg';

const file = process.env.STATEMENTS_FILE ?? '';
const everyTime = process.env.STATEMENTS_EVERY_TIME === 'true';
const seen = new Set();
const { query } = pg.Client.prototype;

pg.Client.prototype.query = function (config, ...rest) {
  const text = typeof config === 'string' ? config : config?.text;
  if (typeof text === 'string' && (everyTime || !seen.has(text))) {
    seen.add(text);
    const [values] = Array.isArray(rest[0]) ? rest : [config?.values];
    appendFileSync(file, `${JSON.stringify({ text, values: values ?? [] })}\n`);
  }
  return query.call(this, config, ...rest);
};
