// @vitest-environment happy-dom
import { act, createElement, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { useGeneration, useOpened, useSelected, type Watchable } from '../../../src/react/index.js';

interface View {
  readonly text: string;
  readonly people: readonly string[];
}

/** Something to be watched, as connections and handles are. */
class Source implements Watchable<View> {
  readonly #listeners = new Set<() => void>();
  #view: View = { text: '', people: ['Ada'] };
  closed = false;

  get watchers(): number {
    return this.#listeners.size;
  }

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getSnapshot = () => this.#view;

  set(change: Partial<View>): void {
    this.#view = { ...this.#view, ...change };
    for (const listener of this.#listeners) listener();
  }

  close(): void {
    this.closed = true;
  }
}

describe('the hooks', () => {
  let place: HTMLElement;
  let root: Root;

  beforeEach(() => {
    vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
    vi.useFakeTimers();
    place = document.createElement('div');
    root = createRoot(place);
  });
  afterEach(() => {
    act(() => {
      root.unmount();
    });
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const draw = (node: ReactNode) => {
    act(() => {
      root.render(node);
    });
  };
  const frame = () => {
    act(() => {
      vi.advanceTimersByTime(20);
    });
  };
  const drawn = { text: 0, people: 0, long: 0 };
  beforeEach(() => {
    Object.assign(drawn, { text: 0, people: 0, long: 0 });
  });

  function Text({ source }: { source: Source }) {
    drawn.text += 1;
    return useSelected(source, (view) => view?.text);
  }
  function People({ source }: { source: Source }) {
    drawn.people += 1;
    const people = useSelected(
      source,
      (view) => view?.people.map((name) => name.toUpperCase()) ?? [],
      (a, b) => a.join() === b.join(),
    );
    return people.join();
  }
  function IsLong({ source }: { source: Source }) {
    drawn.long += 1;
    return useSelected(source, (view) => (view?.text.length ?? 0) > 5) ? 'long' : 'short';
  }
  const all = (source: Source) =>
    [Text, People, IsLong].map((View, key) => createElement(View, { source, key }));

  test('draw again only what has changed, once a frame however much came', () => {
    const source = new Source();
    draw(all(source));
    expect(place.textContent).toBe('ADAshort');
    for (const text of ['a', 'ab', 'abc']) source.set({ text });
    expect(drawn).toEqual({ text: 1, people: 1, long: 1 });
    frame();
    expect(place.textContent).toBe('abcADAshort');
    expect(drawn).toEqual({ text: 2, people: 1, long: 1 });
    source.set({ people: ['Ada'] });
    frame();
    expect(drawn).toEqual({ text: 2, people: 1, long: 1 });
    source.set({ text: 'abcdef', people: ['Ada', 'Bob'] });
    frame();
    expect(place.textContent).toBe('abcdefADA,BOBlong');
    expect(drawn).toEqual({ text: 3, people: 2, long: 2 });
    source.set({ text: 'abcdefg' });
    frame();
    expect(drawn).toEqual({ text: 4, people: 2, long: 2 });
  });

  test('watch what they are given, and let go of what they were given before', () => {
    const [first, second] = [new Source(), new Source()];
    second.set({ text: 'second' });
    draw(all(first));
    expect(first.watchers).toBe(3);
    draw(all(second));
    expect(place.textContent).toBe('secondADAlong');
    expect([first.watchers, second.watchers]).toEqual([0, 3]);
    draw(null);
    expect(second.watchers).toBe(0);
  });

  test('open what is watched with the component, and close it with that', () => {
    const opened: Source[] = [];
    const opener = () => () => {
      const source = new Source();
      opened.push(source);
      return source;
    };
    function Watching({ open }: { open: (() => Source) | null }) {
      const source = useOpened(open);
      return useSelected(source, (view) => view?.text ?? 'nothing yet');
    }
    draw(createElement(Watching, { open: null }));
    expect(place.textContent).toBe('nothing yet');
    const open = opener();
    draw(createElement(Watching, { open }));
    draw(createElement(Watching, { open }));
    expect(opened).toHaveLength(1);
    opened[0]?.set({ text: 'open' });
    frame();
    expect(place.textContent).toBe('open');
    draw(createElement(Watching, { open: opener() }));
    expect(opened.map(({ closed }) => closed)).toEqual([true, false]);
    draw(null);
    expect(opened.map(({ closed }) => closed)).toEqual([true, true]);
  });

  test('watch a generation from its id to its end', async () => {
    const answers = [
      {
        id: 'g1',
        status: 'completed',
        text: 'All of it',
        content: [],
        conversationId: 'c1',
        documentId: null,
      },
    ];
    const options = { getToken: () => null, fetch: () => Promise.resolve(Response.json(answers[0])) };
    function Answer({ id }: { id: string | null }) {
      const handle = useGeneration(id, options);
      return useSelected(handle, (view) => `${view?.metadata?.status ?? 'none'}: ${view?.text ?? ''}`);
    }
    draw(createElement(Answer, { id: null }));
    expect(place.textContent).toBe('none: ');
    draw(createElement(Answer, { id: 'g1' }));
    await act(() => vi.advanceTimersByTimeAsync(100));
    expect(place.textContent).toBe('completed: All of it');
  });

  test('draw on a server what there is before anything is open', () => {
    function Watching() {
      const source = useOpened(() => new Source());
      return useSelected(source, (view) => view?.text ?? 'nothing yet');
    }
    expect(renderToString(createElement(Watching))).toBe('nothing yet');
  });
});
