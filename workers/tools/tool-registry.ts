import { parseMcpToolName } from '../../src/domain/tools.js';
import type { Logger } from '../../src/lib/logger.js';
import type { ThreadPool } from '../../src/lib/thread-pool.js';
import { createCalculator } from './calculator.js';
import { createFetchUrl } from './fetch-url.js';
import { getWeather } from './get-weather.js';
import { McpServer, type McpServerSettings } from './mcp-server.js';
import { ToolError, type Tool } from './tool.js';

export interface ToolSettings {
  /** Hosts that `fetch_url` may ask; none: there is no such tool. */
  fetchUrlAllow: readonly string[];
  mcpServers: readonly McpServerSettings[];
}

/** The tools that this worker runs. A new one of ours is one file and one line here, and its name in `domain/tools.ts`. */
export class ToolRegistry {
  readonly #tools: Map<string, Tool>;
  readonly #servers: Map<string, McpServer>;

  constructor({ fetchUrlAllow, mcpServers }: ToolSettings, threads: ThreadPool, log: Logger) {
    const tools = [getWeather, createCalculator(threads)];
    if (fetchUrlAllow.length > 0) tools.push(createFetchUrl({ allow: fetchUrlAllow, threads }));
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
    this.#servers = new Map(mcpServers.map((settings) => [settings.name, new McpServer(settings, log)]));
  }

  /** The tools of these names. @throws ToolError where one is not to be had */
  async find(names: readonly string[]): Promise<Tool[]> {
    return Promise.all(names.map((name) => this.#find(name)));
  }

  /** Lets go of the servers. */
  async close(): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.close()));
  }

  async #find(name: string): Promise<Tool> {
    const tool = this.#tools.get(name);
    if (tool) return tool;
    const parsed = parseMcpToolName(name);
    const server = parsed && this.#servers.get(parsed.server);
    if (!parsed || !server) throw new ToolError(`There is no tool named ${name}.`);
    const found = await server.find(parsed.tool);
    if (!found) throw new ToolError(`The MCP server ${server.name} has no tool named ${parsed.tool}.`);
    return found;
  }
}
