import type { ContentBlock, ToolResultBlock, ToolUseBlock } from '../src/domain/content.js';
import type { GenerationOptions } from '../src/domain/generation.js';
import { storableText } from '../src/domain/storable.js';
import type { ToolDefinition } from '../src/domain/tools.js';
import { linkAbort } from '../src/lib/link-abort.js';
import type { Logger } from '../src/lib/logger.js';
import { reasonOf } from '../src/lib/root-cause.js';
import { unlessAborted } from '../src/lib/unless-aborted.js';
import { GenerationFailure } from './generation-failure.js';
import { ToolError, type Tool, type ToolOutput } from './tools/tool.js';
import type { ToolRegistry } from './tools/tool-registry.js';

interface ToolLoopOptions {
  /** What the request asks for. */
  tools: NonNullable<GenerationOptions['tools']>;
  registry: ToolRegistry;
  log: Logger;
}

/** Most rounds of one generation; a model that then calls again will hardly come to an end by itself. */
export const maxRounds = 10;
/** Longest answer of a tool, in UTF-16 code units. */
const maxOutputLength = 50_000;

/**
 * The tools of one generation: those that run here, and those that the client runs, whose calls end the generation. A
 * call of a tool that nobody knows is answered here, by saying so.
 */
export class ToolLoop {
  readonly #ours = new Map<string, Tool>();
  readonly #clients: ToolDefinition[];
  readonly #names: string[];
  #open = false;

  constructor(private readonly options: ToolLoopOptions) {
    this.#names = options.tools.filter((tool) => typeof tool === 'string');
    this.#clients = options.tools.filter((tool) => typeof tool !== 'string');
  }

  /** What the model is told. */
  get definitions(): ToolDefinition[] {
    const ours = [...this.#ours.values()].map(({ name, description, inputSchema }) => ({
      name,
      description,
      inputSchema,
    }));
    return [...ours, ...this.#clients];
  }

  /** Makes the tools ready. @throws GenerationFailure tool_failed; the signal's reason */
  async open(signal: AbortSignal): Promise<void> {
    if (this.#open) return;
    try {
      const found = await unlessAborted(this.options.registry.find(this.#names), signal);
      for (const tool of found) this.#ours.set(tool.name, tool);
      this.#open = true;
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof ToolError ? new GenerationFailure('tool_failed', error.message) : error;
    }
  }

  /** Whether the generation goes on from a round that ended with calls: some of them are answered here. */
  goesOn(round: readonly ContentBlock[]): boolean {
    return this.#size > 0 && round.some((block) => block.type === 'tool_use' && !this.#isClients(block));
  }

  /** Whether calls of the last round are left for the client to answer. */
  awaitsClient(content: readonly ContentBlock[]): boolean {
    return openCalls(content).some((call) => this.#isClients(call));
  }

  /**
   * Answers the calls of the last round that have no result yet, all at the same time; each result is handed on as soon
   * as it is there. Failures are results. @throws the signal's reason
   */
  async run(
    content: readonly ContentBlock[],
    signal: AbortSignal,
    onResult: (result: ToolResultBlock) => void,
  ): Promise<void> {
    const calls = openCalls(content).filter((call) => !this.#isClients(call));
    await Promise.all(
      calls.map(async (call) => {
        onResult(await this.#answer(call, signal));
      }),
    );
  }

  get #size(): number {
    return this.#names.length + this.#clients.length;
  }

  #isClients({ name }: ToolUseBlock): boolean {
    return this.#clients.some((tool) => tool.name === name);
  }

  async #answer(call: ToolUseBlock, signal: AbortSignal): Promise<ToolResultBlock> {
    const startedAt = performance.now();
    const { text, isError } = await this.#run(call, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      return { text: this.#problemOf(call, error), isError: true };
    });
    const ms = Math.round(performance.now() - startedAt);
    this.options.log.info({ tool: call.name, ms, isError, characters: text.length }, 'a tool has answered');
    return {
      type: 'tool_result',
      tool_use_id: call.id,
      content: storableText(
        text.length > maxOutputLength ? `${text.slice(0, maxOutputLength)}\n(cut off)` : text,
      ),
      ...(isError && { is_error: true }),
    };
  }

  async #run(call: ToolUseBlock, signal: AbortSignal): Promise<ToolOutput> {
    const tool = this.#ours.get(call.name);
    if (!tool) throw new ToolError(`There is no tool named ${call.name}.`);
    if (call.partial_json !== undefined) throw new ToolError('The input is not valid JSON.');
    const over = new AbortController();
    const unlink = linkAbort(over, signal);
    const timer = setTimeout(() => {
      over.abort(new ToolError(`It did not answer within ${tool.timeoutMs / 1000} s.`));
    }, tool.timeoutMs);
    try {
      // Also where the tool does not heed its signal.
      return await unlessAborted(tool.run(call.input, over.signal), over.signal);
    } catch (error) {
      over.signal.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(timer);
      unlink();
    }
  }

  #problemOf(call: ToolUseBlock, error: unknown): string {
    if (error instanceof ToolError) return error.message;
    this.options.log.warn({ tool: call.name, reason: reasonOf(error) }, 'a tool failed');
    return 'The tool failed.';
  }
}

/** The calls of the last round that have no result yet. */
function openCalls(content: readonly ContentBlock[]): ToolUseBlock[] {
  const end = content.findLastIndex(({ type }) => type !== 'tool_result') + 1;
  const start = content.slice(0, end).findLastIndex(({ type }) => type === 'tool_result') + 1;
  const answered = new Set(
    content.slice(end).map((block) => (block.type === 'tool_result' ? block.tool_use_id : undefined)),
  );
  return content
    .slice(start, end)
    .filter((block) => block.type === 'tool_use')
    .filter(({ id }) => !answered.has(id));
}
