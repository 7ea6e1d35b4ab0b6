import { AppError } from '../domain/errors.js';
import type { GenerationOptions } from '../domain/generation.js';
import { modelInfo } from '../domain/models.js';
import { builtInTools, parseMcpToolName } from '../domain/tools.js';

interface ToolPolicyOptions {
  /** `FETCH_URL_ALLOW`: without hosts there is no such tool. */
  fetchUrlAllow: readonly string[];
  /** `tools`: the only ones that are offered; without it the server alone knows what it has. */
  mcpServers: readonly { name: string; tools?: readonly string[] | undefined }[];
}

/** Which tools this deployment's workers run. */
export class ToolPolicy {
  constructor(private readonly options: ToolPolicyOptions) {}

  /**
   * Refuses tools that no worker runs, and tools for a model that cannot call them. Whether an MCP server has a tool that
   * its settings do not name shows only when it is asked.
   *
   * @throws AppError unsupported_tool
   */
  check(model: string, tools: GenerationOptions['tools'] = []): void {
    if (tools.length > 0 && !modelInfo(model).abilities.tools)
      throw new AppError('unsupported_tool', `The model "${model}" cannot call tools.`);
    const unknown = tools.find((tool) => typeof tool === 'string' && !this.#isKnown(tool));
    if (typeof unknown === 'string')
      throw new AppError(
        'unsupported_tool',
        `There is no tool named "${unknown}" here.${this.#hint(unknown)}`,
      );
  }

  #isKnown(name: string): boolean {
    if (name === 'fetch_url') return this.options.fetchUrlAllow.length > 0;
    if (Object.hasOwn(builtInTools, name)) return true;
    const parsed = parseMcpToolName(name);
    const server = this.options.mcpServers.find((each) => each.name === parsed?.server);
    return parsed !== undefined && server !== undefined && (server.tools?.includes(parsed.tool) ?? true);
  }

  #hint(name: string): string {
    return name === 'fetch_url' ? ' FETCH_URL_ALLOW switches it on.' : '';
  }
}
