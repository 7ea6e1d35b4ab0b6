import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

/** One call of the tool `wait`, which answers when the test does. */
export interface HeldCall {
  question: string;
  answer: (text: string, options?: { isError?: boolean }) => void;
  /** The client has cancelled it. */
  cancelled: Promise<void>;
}

/** Writes a file for `MCP_CONFIG_FILE`. */
export async function mcpConfigFile(servers: Record<string, object>): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'tokencast-mcp-')), 'mcp.json');
  await writeFile(file, JSON.stringify({ mcpServers: servers }));
  return file;
}

/** An MCP server over streamable HTTP whose tool `wait` is in the hands of the test. */
export interface McpUpstream {
  readonly url: string;
  /** The names of the tools that were called, in the order of their coming. */
  readonly ran: readonly string[];
  /** The authorization that the last request carried. */
  readonly authorization: string | undefined;
  /** The oldest call that no call of this has returned yet; waits for it. */
  nextCall(): Promise<HeldCall>;
  /** Forgets all sessions, as a server that was started again. */
  forgetSessions(): void;
  close(): Promise<void>;
}

/** Starts an MCP server on 127.0.0.1 with the tools `wait`, `shout` and `fail`. */
export async function startMcpUpstream(): Promise<McpUpstream> {
  const ran: string[] = [];
  const unclaimed: HeldCall[] = [];
  const waiters: ((call: HeldCall) => void)[] = [];
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  let authorization: string | undefined;

  const hold = (question: string, signal: AbortSignal) =>
    new Promise<{ content: { type: 'text'; text: string }[]; isError: boolean }>((resolve) => {
      const call: HeldCall = {
        question,
        answer: (text, { isError = false } = {}) => {
          resolve({ content: [{ type: 'text', text }], isError });
        },
        cancelled: once(signal, 'abort').then(() => undefined),
      };
      const waiter = waiters.shift();
      if (waiter) waiter(call);
      else unclaimed.push(call);
    });

  const newServer = () => {
    const server = new McpServer({ name: 'test', version: '1.0.0' });
    const config = { description: 'Answers later.', inputSchema: { question: z.string() } };
    server.registerTool('wait', config, ({ question }, { signal }) => {
      ran.push('wait');
      return hold(question, signal);
    });
    server.registerTool('shout', { inputSchema: { text: z.string() } }, ({ text }) => {
      ran.push('shout');
      return { content: [{ type: 'text', text: text.toUpperCase() }] };
    });
    server.registerTool('fail', {}, () => {
      ran.push('fail');
      return { content: [{ type: 'text', text: 'no luck' }], isError: true };
    });
    return server;
  };

  const http = createServer((request, response) => {
    void (async () => {
      authorization = request.headers.authorization;
      const id = request.headers['mcp-session-id'];
      let transport = typeof id === 'string' ? sessions.get(id) : undefined;
      if (!transport && id !== undefined) {
        response.writeHead(404).end();
        return;
      }
      if (!transport) {
        const opened = new StreamableHTTPServerTransport({
          sessionIdGenerator: randomUUID,
          onsessioninitialized: (session) => {
            sessions.set(session, opened);
          },
        });
        transport = opened;
        await newServer().connect(opened);
      }
      await transport.handleRequest(request, response);
    })().catch(() => response.destroy());
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');

  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    ran,
    get authorization() {
      return authorization;
    },
    nextCall: () => {
      const call = unclaimed.shift();
      return call ? Promise.resolve(call) : new Promise((resolve) => waiters.push(resolve));
    },
    forgetSessions: () => {
      sessions.clear();
    },
    close: async () => {
      const closed = once(http, 'close');
      http.close();
      http.closeAllConnections();
      await closed;
    },
  };
}
