import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ContentBlock } from '../../../src/domain/content.js';
import type { Message } from '../../../src/domain/conversation.js';
import type { AnswerAttempt } from '../../../src/service/attempt.js';
import { promptOf } from '../../../workers/prompt.js';

const message = (role: Message['role'], text: string, author = 'Ada'): Message => ({
  id: text.slice(0, 10),
  conversationId: 'c',
  role,
  author: role === 'user' ? { id: author, name: author } : null,
  text,
  content: [{ type: 'text', text }],
  status: 'complete',
  generationId: null,
  clientId: null,
  metadata: null,
  position: 0,
  createdAt: new Date(0).toISOString(),
});

/** A generation at the end of this history; `claude-haiku-4-5` reads 200,000 tokens. */
const attempt = (history: Message[]) =>
  ({
    generation: { options: {}, model: 'claude-haiku-4-5' },
    conversation: { system: null },
    history,
  }) as unknown as AnswerAttempt;

const settings = { defaultMaxTokens: 100, tools: [], written: [] };

const textsOf = ({ request }: ReturnType<typeof promptOf>) =>
  request.messages.map(({ role, content }) => [
    role,
    content.map((block) => ('text' in block ? block.text : '')).join('|'),
  ]);

describe('the prompt', () => {
  test('holds all of a history that fits', () => {
    const prompt = promptOf(
      attempt([message('user', 'one'), message('assistant', 'two'), message('user', 'three')]),
      settings,
    );
    expect(prompt.cutTurns).toBe(0);
    expect(prompt.request.repeats).toBe(true);
    expect(textsOf(prompt)).toEqual([
      ['user', 'one'],
      ['assistant', 'two'],
      ['user', 'three'],
    ]);
  });

  test('leaves out the oldest turns, each with its answer, when it is longer than the context', () => {
    const long = 'x'.repeat(400_000);
    const prompt = promptOf(
      attempt([
        message('user', `first ${long}`),
        message('assistant', 'answer one'),
        message('user', 'second'),
        message('assistant', long),
        message('user', 'third'),
      ]),
      settings,
    );
    expect(prompt.cutTurns).toBe(1);
    expect(prompt.request.repeats).toBe(false);
    expect(textsOf(prompt).map(([, text]) => text?.slice(0, 6))).toEqual(['second', 'xxxxxx', 'third']);
  });

  test('never cuts between a call and its result, whoever answered it', () => {
    const long = 'x'.repeat(400_000);
    const call: ContentBlock = { type: 'tool_use', id: 't1', name: 'open_door', input: {} };
    const result: ContentBlock = { type: 'tool_result', tool_use_id: 't1', content: long };
    const history = [
      message('user', `first ${'y'.repeat(30_000)}`),
      message('assistant', 'old'),
      message('user', 'open it'),
      { ...message('assistant', ''), content: [call] },
      { ...message('user', ''), content: [result] },
      message('assistant', 'it is open'),
      message('user', 'last'),
    ];
    const roomy = promptOf(attempt(history), settings);
    expect(roomy.cutTurns).toBe(0);
    const tight = promptOf(attempt(history), {
      ...settings,
      written: [{ type: 'text', text: long.slice(0, 180_000) }],
    });
    expect(tight.cutTurns).toBe(1);
    expect(textsOf(tight).map(([, text]) => text)).toEqual(['open it', '', '', 'it is open', 'last']);
    const tighter = promptOf(attempt(history), { ...settings, written: [{ type: 'text', text: long }] });
    expect(tighter.cutTurns).toBe(2);
    expect(textsOf(tighter).map(([, text]) => text)).toEqual(['last']);
  });

  test('asks for as much thinking as the answer leaves room for', () => {
    const thinkingOf = (maxTokens: number) => {
      const asked = attempt([message('user', 'hi')]);
      const thinking = { type: 'enabled' as const, budgetTokens: 5000 };
      return promptOf(
        { ...asked, generation: { ...asked.generation, options: { thinking, maxTokens } } },
        settings,
      ).request.thinking;
    };
    expect(thinkingOf(6000)).toEqual({ type: 'enabled', budgetTokens: 5000 });
    expect(thinkingOf(3000)).toEqual({ type: 'enabled', budgetTokens: 2999 });
    expect(thinkingOf(1000)).toBeUndefined();
  });

  test('leaves results of tools as they are where it says who said what', () => {
    const result: ContentBlock = { type: 'tool_result', tool_use_id: 't1', content: 'open' };
    const prompt = promptOf(
      attempt([
        { ...message('user', ''), content: [result, { type: 'text', text: 'so?' }] },
        message('assistant', 'yes'),
        { ...message('user', '', 'Bob'), content: [result] },
      ]),
      settings,
    );
    expect(prompt.request.messages.map(({ content }) => content)).toEqual([
      [result, { type: 'text', text: 'Ada: so?' }],
      [{ type: 'text', text: 'yes' }],
      [result],
    ]);
  });

  test('always keeps the last turn, and always begins with the user', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ user: fc.boolean(), kilobytes: fc.integer({ min: 1, max: 700 }) }), {
          maxLength: 8,
        }),
        fc.integer({ min: 1, max: 700 }),
        (turns, lastKilobytes) => {
          const history = turns.map(({ user, kilobytes }, i) =>
            message(user ? 'user' : 'assistant', `${i} ${'x'.repeat(kilobytes * 1000)}`),
          );
          const { request } = promptOf(
            attempt([...history, message('user', `last ${'y'.repeat(lastKilobytes * 1000)}`)]),
            settings,
          );
          expect(request.messages[0]?.role).toBe('user');
          expect(JSON.stringify(request.messages.at(-1))).toContain('last y');
          const bytes = JSON.stringify(request.messages).length;
          expect(request.messages.length === 1 || bytes / 3 < 210_000).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('says who said what where several people write', () => {
    const prompt = promptOf(attempt([message('user', 'hi'), message('user', 'hello', 'Bob')]), settings);
    expect(textsOf(prompt)).toEqual([['user', 'Ada: hi|Bob: hello']]);
    expect(prompt.request.system).toMatch(/several people/i);
  });
});
