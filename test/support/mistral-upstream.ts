import { ChatRequest, type ChatBody } from './openai-upstream.js';
import { startScriptedServer, type ScriptedServer } from './upstream-server.js';

/** Starts a server that speaks Mistral's chat completions. */
export function startMistralUpstream(): Promise<ScriptedServer<MistralRequest>> {
  return startScriptedServer({
    accept: (body, headers, response) => new MistralRequest(body as ChatBody, headers, response),
  });
}

/** Where Mistral's chat completions are not OpenAI's. */
export class MistralRequest extends ChatRequest {
  protected override thinkingDelta(thinking: string): Record<string, unknown> {
    return { content: [thinkingChunk(thinking)] };
  }

  protected override wholeThinking(thinking: string, text: string): Record<string, unknown> {
    return { content: [thinkingChunk(thinking), { type: 'text', text }] };
  }

  /** Mistral writes a call in one piece, or names it in each. */
  protected override callDeltas(index: number, id: string, name: string, json: string[]): unknown[] {
    return json.map((piece) => ({ index, id, function: { name, arguments: piece } }));
  }

  /** Mistral tells the usage with the end. */
  protected override finish(finish: Record<string, unknown>, usage: unknown): this {
    return this.chunk({ choices: [{ ...finish, delta: { content: '' } }], usage });
  }

  protected override errorBody(status: number): unknown {
    const message = `failed with ${status}`;
    if (status === 422) return { detail: [{ loc: ['body'], msg: message, type: 'value_error' }] };
    return { object: 'error', message, type: 'some_error', param: null, code: null };
  }
}

function thinkingChunk(thinking: string) {
  return { type: 'thinking', thinking: [{ type: 'text', text: thinking }] };
}
