/**
 * Content blocks and stream events in the vocabulary of the Anthropic Messages API
 * (https://docs.anthropic.com/en/api/messages-streaming), whichever provider made them. Keys are snake_case as there.
 */

export interface TextBlock {
  type: 'text';
  text: string;
  citations?: unknown[] | null;
}

export interface ThinkingBlock {
  type: 'thinking';
  thinking: string;
  signature: string;
}

export interface RedactedThinkingBlock {
  type: 'redacted_thinking';
  data: string;
}

export interface ToolUseBlock {
  type: 'tool_use';
  id: string;
  name: string;
  input: unknown;
  /** The input's JSON so far, while it is being written. */
  partial_json?: string;
}

export interface ToolResultBlock {
  type: 'tool_result';
  tool_use_id: string;
  content: string | TextBlock[];
  is_error?: boolean;
}

/** A call of a tool that the provider runs itself, in the middle of the answer. */
export interface ServerToolUseBlock {
  type: 'server_tool_use';
  id: string;
  name: string;
  input: unknown;
  partial_json?: string;
}

/** What a tool of the provider answered: a block of the model's, unlike the results of our tools. */
export interface ServerToolResultBlock {
  type:
    | 'web_search_tool_result'
    | 'web_fetch_tool_result'
    | 'code_execution_tool_result'
    | 'bash_code_execution_tool_result'
    | 'text_editor_code_execution_tool_result'
    | 'tool_search_tool_result';
  tool_use_id: string;
  /** In the words of the provider; goes back to it as it came. */
  content: unknown;
}

/** A file that the provider's code execution has made. */
export interface ContainerUploadBlock {
  type: 'container_upload';
  file_id: string;
}

/** Any content block that a message can hold. */
export type ContentBlock =
  | TextBlock
  | ThinkingBlock
  | RedactedThinkingBlock
  | ToolUseBlock
  | ToolResultBlock
  | ServerToolUseBlock
  | ServerToolResultBlock
  | ContainerUploadBlock;

/** Token counts as the Messages API reports them; cumulative in `message_delta`. */
export interface ApiUsage {
  input_tokens?: number | null;
  output_tokens?: number | null;
  cache_read_input_tokens?: number | null;
  cache_creation_input_tokens?: number | null;
}

export type ContentDelta =
  | { type: 'text_delta'; text: string }
  | { type: 'input_json_delta'; partial_json: string }
  | { type: 'thinking_delta'; thinking: string }
  | { type: 'signature_delta'; signature: string }
  | { type: 'citations_delta'; citation: unknown };

export interface MessageStart {
  type: 'message_start';
  message: {
    id: string;
    type: 'message';
    role: 'assistant';
    model: string;
    content: [];
    stop_reason: null;
    stop_sequence: null;
    usage: ApiUsage;
  };
}

export interface MessageDelta {
  type: 'message_delta';
  delta: { stop_reason: string | null; stop_sequence: string | null };
  usage: ApiUsage;
}

/** One stream event of a model. */
export type Chunk =
  | MessageStart
  | { type: 'content_block_start'; index: number; content_block: ContentBlock }
  | { type: 'content_block_delta'; index: number; delta: ContentDelta }
  | { type: 'content_block_stop'; index: number }
  | MessageDelta
  | { type: 'message_stop' };

/**
 * The model has ended a call that the generation goes on from, with the `message_delta` that is not passed on: clients
 * see one message, however many rounds it takes.
 */
export interface RoundEnd extends Omit<MessageDelta, 'type'> {
  type: 'round_end';
}

/** The answer is written a second time, since the first did not match its schema. */
export interface Repair {
  type: 'repair';
  /** The text that did not match. */
  answer: string;
  /** What was wrong with it, for the model. */
  problem: string;
}

/** A complete value of structured output has been told. */
export interface ObjectNote {
  type: 'object';
  index: number;
}

/**
 * What the stream of a generation is made of: chunks of the model, the results of tools between its rounds, and notes of
 * the worker for whoever goes on from here.
 */
export type StreamPart = Chunk | ToolResultBlock | RoundEnd | Repair | ObjectNote;

/** Whether a part is one of the model's own events. */
export const isChunk = (part: StreamPart): part is Chunk =>
  part.type !== 'tool_result' &&
  part.type !== 'round_end' &&
  part.type !== 'repair' &&
  part.type !== 'object';

/** The text that a delta adds to its block; undefined where it adds none. */
export function deltaText(delta: ContentDelta): string | undefined {
  switch (delta.type) {
    case 'text_delta':
      return delta.text;
    case 'thinking_delta':
      return delta.thinking;
    case 'input_json_delta':
      return delta.partial_json;
    case 'signature_delta':
    case 'citations_delta':
      return undefined;
  }
}

/** The same kind of delta with another text; one without text stays as it is. */
export function withDeltaText(delta: ContentDelta, text: string): ContentDelta {
  switch (delta.type) {
    case 'text_delta':
      return { type: 'text_delta', text };
    case 'thinking_delta':
      return { type: 'thinking_delta', thinking: text };
    case 'input_json_delta':
      return { type: 'input_json_delta', partial_json: text };
    case 'signature_delta':
    case 'citations_delta':
      return delta;
  }
}

/** Two deltas that follow each other as one; undefined where they cannot be one. */
export function joinDeltas(first: ContentDelta, second: ContentDelta): ContentDelta | undefined {
  const [a, b] = [deltaText(first), deltaText(second)];
  if (first.type !== second.type || a === undefined || b === undefined) return undefined;
  return withDeltaText(first, a + b);
}

/** The text of a message: its text blocks, one after the other. */
export function textOf(content: readonly ContentBlock[]): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

/** What a tool answered, as one text. */
export function toolResultText({ content }: ToolResultBlock): string {
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('\n');
}

/** Whether the blocks hold anything that is worth keeping as a message. */
export function hasContent(content: readonly ContentBlock[]): boolean {
  return content.some((block) => block.type !== 'text' || block.text !== '');
}
