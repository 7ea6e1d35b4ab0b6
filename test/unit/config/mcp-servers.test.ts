import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigError } from '../../../src/config/config-error.js';
import { parseEnv } from '../../../src/config/env.js';
import { readMcpServers } from '../../../src/config/mcp-servers.js';

const dir = mkdtempSync(join(tmpdir(), 'tokencast-mcp-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const file = (content: unknown): string => {
  const path = join(dir, 'mcp.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const read = (servers: unknown, environment: Record<string, string> = {}) =>
  readMcpServers(file({ mcpServers: servers }), { environment });

describe('the file of MCP servers', () => {
  test('names programs and addresses, as other programs know it', () => {
    expect(
      read({
        files: { command: 'npx', args: ['-y', 'server'], env: { ROOT: '/srv' } },
        tickets: { type: 'http', url: 'https://example.com/mcp', tools: ['find'], timeoutMs: 500 },
      }),
    ).toEqual([
      { name: 'files', command: 'npx', args: ['-y', 'server'], env: { ROOT: '/srv' }, timeoutMs: 30_000 },
      {
        name: 'tickets',
        type: 'http',
        url: 'https://example.com/mcp',
        headers: {},
        tools: ['find'],
        timeoutMs: 500,
      },
    ]);
  });

  test('takes secrets from the environment', () => {
    const servers = { a: { url: '${BASE}/mcp', headers: { authorization: 'Bearer ${TOKEN}' } } };
    expect(read(servers, { BASE: 'http://127.0.0.1:1', TOKEN: 'secret' })).toMatchObject([
      { url: 'http://127.0.0.1:1/mcp', headers: { authorization: 'Bearer secret' } },
    ]);
    expect(() => read(servers, { BASE: 'http://127.0.0.1:1' })).toThrow('needs the variable TOKEN');
  });

  test('need not have its secrets where only the names matter', () => {
    const path = file({ mcpServers: { a: { url: '${BASE}/mcp' } } });
    const stores = {
      REDIS_URL: 'redis://127.0.0.1',
      DATABASE_URL: 'postgres://127.0.0.1/t',
      AUTH_SECRET: 'an-auth-secret-of-more-than-32-bytes',
      MCP_CONFIG_FILE: path,
    };
    expect(parseEnv(stores, { role: 'api' }).tools.mcpServers).toMatchObject([{ name: 'a' }]);
    expect(() => parseEnv(stores, { role: 'worker' })).toThrow('needs the variable BASE');
  });

  test.each<[string, unknown, string]>([
    ['is not JSON', '{', 'not JSON'],
    ['has no servers', {}, 'mcpServers'],
    ['has a name that could be confused', { mcpServers: { a__b: { command: 'x' } } }, 'single underscores'],
    ['has a server without an address', { mcpServers: { a: {} } }, 'mcpServers.a'],
    ['has a misspelt field', { mcpServers: { a: { command: 'x', arg: [] } } }, 'arg'],
    ['has an address that is none', { mcpServers: { a: { url: 'ftp://x' } } }, 'no http(s) URL'],
  ])('is refused in one line where it %s', (_, content, problem) => {
    const reading = () => readMcpServers(file(content), { environment: {} });
    expect(reading).toThrow(ConfigError);
    expect(reading).toThrow(problem);
    expect(reading).toThrow(/^MCP_CONFIG_FILE names [^\n]*$/);
  });

  test('is missed where it is not there', () => {
    expect(() => parseEnv({ MCP_CONFIG_FILE: join(dir, 'none') }, { role: 'all' })).toThrow(
      /^MCP_CONFIG_FILE names .*ENOENT/,
    );
  });
});
