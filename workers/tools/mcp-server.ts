import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { McpError } from '@modelcontextprotocol/sdk/types.js';
import { mcpToolName } from '../../src/domain/tools.js';
import type { Logger } from '../../src/lib/logger.js';
import { reasonOf } from '../../src/lib/root-cause.js';
import { ToolError, type Tool, type ToolOutput } from './tool.js';

interface Common {
  name: string;
  /** The only tools that are offered. */
  tools?: readonly string[] | undefined;
  timeoutMs: number;
}

interface StdioServer extends Common {
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd?: string | undefined;
}

interface HttpServer extends Common {
  url: string;
  headers: Readonly<Record<string, string>>;
}

/** How an MCP server is reached: a program of its own, or streamable HTTP. */
export type McpServerSettings = StdioServer | HttpServer;

const connectMs = 15_000;

interface Connection {
  client: Client;
  /** By their names at the server. */
  tools: Map<string, Tool>;
}

/** One MCP server and its tools. Connected when it is first needed, and again after it has gone. */
export class McpServer {
  #connection: Promise<Connection> | undefined;
  #closed = false;

  constructor(
    private readonly settings: McpServerSettings,
    private readonly log: Logger,
  ) {}

  get name(): string {
    return this.settings.name;
  }

  /** The tool of this name at the server; undefined: it has none, or it is not offered. @throws ToolError */
  async find(tool: string): Promise<Tool | undefined> {
    if (this.settings.tools && !this.settings.tools.includes(tool)) return undefined;
    return (await this.#connect()).tools.get(tool);
  }

  /** Ends the connection, and the server's process where it is one of ours. */
  async close(): Promise<void> {
    this.#closed = true;
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.client.close();
  }

  #connect(): Promise<Connection> {
    if (this.#closed)
      return Promise.reject(new ToolError(`The MCP server ${this.name} is not there any more.`));
    this.#connection ??= this.#open().catch((error: unknown) => {
      this.#forget();
      this.log.warn({ server: this.name, reason: reasonOf(error) }, 'an MCP server cannot be reached');
      throw new ToolError(`The MCP server ${this.name} cannot be reached.`);
    });
    return this.#connection;
  }

  async #open(): Promise<Connection> {
    const tools: Connection['tools'] = new Map();
    const client: Client = new Client(
      { name: 'tokencast', version: '1.0.0' },
      { listChanged: { tools: { autoRefresh: false, onChanged: () => void this.#list(client, tools) } } },
    );
    client.onclose = () => {
      this.#forget();
    };
    client.onerror = (error) => {
      this.log.debug({ server: this.name, reason: reasonOf(error) }, 'MCP server');
    };
    const transport = transportOf(this.settings);
    try {
      await client.connect(transport, { timeout: connectMs });
      await this.#list(client, tools);
    } catch (error) {
      await client.close().catch(() => undefined);
      throw error;
    }
    return { client, tools };
  }

  #forget(): void {
    this.#connection = undefined;
  }

  async #list(client: Client, tools: Connection['tools']): Promise<void> {
    const listed = new Map<string, Tool>();
    let cursor: string | undefined;
    do {
      const page = await client.listTools({ cursor }, { timeout: connectMs });
      for (const tool of page.tools) listed.set(tool.name, this.#toTool(tool));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    tools.clear();
    for (const [name, tool] of listed) tools.set(name, tool);
  }

  #toTool({ name, description = '', inputSchema }: McpTool): Tool {
    const { timeoutMs } = this.settings;
    return {
      name: mcpToolName(this.name, name),
      description,
      inputSchema,
      timeoutMs,
      run: async (input, signal) => {
        if (!isRecord(input)) throw new ToolError('The input is wrong: it has to be an object.');
        const connection = this.#connect();
        const { client } = await connection;
        try {
          const options = { signal, timeout: timeoutMs };
          const result = await client.callTool({ name, arguments: input }, undefined, options);
          return outputOf(result as McpResult);
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof McpError) throw new ToolError(error.message);
          this.log.warn({ server: this.name, reason: reasonOf(error) }, 'a call of an MCP server failed');
          // It may have forgotten the session: the next call begins a new one.
          if (this.#connection === connection) this.#forget();
          await client.close().catch(() => undefined);
          throw new ToolError(`The MCP server ${this.name} did not answer.`);
        }
      },
    };
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type McpTool = Awaited<ReturnType<Client['listTools']>>['tools'][number];

interface McpResult {
  content: { type: string; text?: string; resource?: { uri: string; text?: string }; uri?: string }[];
  structuredContent?: unknown;
  isError?: boolean;
}

/** What of a result a model can read as text; of the rest it is told that it is there. */
function outputOf({ content, structuredContent, isError = false }: McpResult): ToolOutput {
  const texts = content.map(({ type, text, resource, uri }) => {
    if (text !== undefined) return text;
    if (resource?.text !== undefined) return resource.text;
    return `(${type}${resource ? ` ${resource.uri}` : uri ? ` ${uri}` : ''})`;
  });
  const text = texts.join('\n');
  return {
    text: text === '' && structuredContent !== undefined ? JSON.stringify(structuredContent) : text,
    isError,
  };
}

function transportOf(settings: McpServerSettings): Transport {
  if ('url' in settings) {
    // The SDK's class has an optional property that its interface has not, under exactOptionalPropertyTypes.
    return new StreamableHTTPClientTransport(new URL(settings.url), {
      requestInit: { headers: { ...settings.headers } },
    });
  }
  const { command, args, env, cwd } = settings;
  return new StdioClientTransport({
    command,
    args: [...args],
    // Nothing of our own environment that may be a secret.
    env: { ...getDefaultEnvironment(), ...env },
    stderr: 'ignore',
    ...(cwd !== undefined && { cwd }),
  });
}
