import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, test } from 'vitest';
import {
  fromDocumentSnapshot,
  TokencastError,
  type Document,
  type DocumentStatus,
  type SectionStatus,
} from '../../../src/client/index.js';
import { CitationLinks } from '../../../web/src/documents/citation-links.js';
import { growingEntities, growingTexts } from '../../../web/src/documents/growing-list.js';
import { rehypeCitations } from '../../../web/src/documents/rehype-citations.js';
import { phaseSteps } from '../../../web/src/documents/steps.js';
import { Uploads } from '../../../web/src/documents/uploads.js';
import { fileSize, remaining, sentence, sizeOfSize, standing } from '../../../web/src/documents/words.js';
import { CitationsContext } from '../../../web/src/markdown/citations.js';
import { Markdown } from '../../../web/src/markdown/markdown.js';

function documentOf(
  status: DocumentStatus,
  sections: SectionStatus[],
  change: Partial<Document> = {},
): Document {
  return {
    id: 'd',
    name: 'minutes.md',
    mediaType: 'text/markdown',
    bytes: 100,
    status,
    phase: null,
    progress: {
      sectionsDone: sections.filter((one) => one === 'done').length,
      sectionsTotal: sections.length,
      percent: 40,
      remainingMs: null,
    },
    sections: sections.map((one, index) => ({
      index,
      title: `Part ${index}`,
      status: one,
      text: '',
      error: null,
    })),
    result: { summary: null, keyPoints: [], entities: [], recommendations: [] },
    usage: { inputTokens: 0, outputTokens: 0, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 },
    costUsd: 0.083,
    error: null,
    createdAt: '2026-01-01T10:00:00.000Z',
    endedAt: null,
    ...change,
  };
}

const statuses = (document: Document) =>
  phaseSteps(fromDocumentSnapshot({ document, generations: [] })).map(({ status }) => status);

describe('the words about documents', () => {
  test('say sizes in one unit', () => {
    expect([fileSize(812), fileSize(65_536), fileSize(2_411_725)]).toEqual(['812 B', '64 KB', '2.3 MB']);
    expect(sizeOfSize(2_726_298, 4_299_162)).toBe('2.6 of 4.1 MB');
    expect(sizeOfSize(12_288, 65_536)).toBe('12 of 64 KB');
  });

  test('say the time that is left no more exactly than it is known', () => {
    expect([400, 40_000, 100_000, 119_600, 725_000, 7_500_000].map(remaining)).toEqual([
      '1 s',
      '40 s',
      '1 min 40 s',
      '2 min',
      '12 min',
      '2 h 5 min',
    ]);
  });

  test('say how a document stands', () => {
    expect(standing(documentOf('cancelled', ['done', 'cancelled']))).toBe('Stopped after 1 of 2 sections');
    expect(standing(documentOf('completed', ['done', 'failed']))).toBe('1 of 2 sections failed');
    expect(standing(documentOf('completed', ['done'], { endedAt: '2020-03-14T12:00:00.000Z' }))).toBe(
      '1 section, $0.08, 14 Mar',
    );
    const running = documentOf('running', ['done', 'running', 'failed']);
    expect(sentence(running, false)).toBe('Reading sections: 1 done, 1 running, 1 failed');
    expect(sentence({ ...running, phase: 'entities' }, false)).toBe('Listing the entities, 1 section failed');
  });
});

describe('the phases of a document', () => {
  test('follow each other', () => {
    expect(statuses(documentOf('running', ['running']))).toEqual(Array(4).fill('pending'));
    expect(statuses(documentOf('running', ['done'], { phase: 'keyPoints' }))).toEqual([
      'done',
      'running',
      'pending',
      'pending',
    ]);
    expect(statuses(documentOf('completed', ['done']))).toEqual(Array(4).fill('done'));
  });

  test('fail where the first of them is missing, and are not written in what was stopped', () => {
    const result = { summary: 'Short.', keyPoints: [], entities: [], recommendations: [] };
    expect(statuses(documentOf('failed', ['done'], { result }))).toEqual([
      'done',
      'failed',
      'cancelled',
      'cancelled',
    ]);
    expect(statuses(documentOf('cancelled', ['done'], { result }))).toEqual([
      'done',
      'cancelled',
      'cancelled',
      'cancelled',
    ]);
  });
});

describe('a list that is being written', () => {
  test('has what can be read of it, and no number that may still grow', () => {
    expect(growingTexts('keyPoints', '{"keyPoints":[{"text":"One.","sections":[0, 12')).toEqual([
      { text: 'One.', sections: [0] },
    ]);
    expect(growingEntities('```json\n{"entities":[{"name":"Ho')).toEqual([
      { name: 'Ho', type: '', sections: [] },
    ]);
    expect(growingTexts('keyPoints', '{"keyP')).toEqual([]);
    expect(growingTexts('keyPoints', 'no JSON')).toEqual([]);
  });
});

describe('citations in Markdown', () => {
  const render = (text: string) =>
    renderToStaticMarkup(
      createElement(
        CitationsContext,
        { value: { documentId: 'd', rehypePlugins: [[rehypeCitations, 3]], Cite: CitationLinks } },
        createElement(Markdown, { text, writing: false }),
      ),
    );

  test('lead to the sections that there are', () => {
    const html = render('Built in **May [§2, §3]**, see [§4].');
    expect([...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href)).toEqual([
      '/documents/d#section-2',
      '/documents/d#section-3',
    ]);
    expect(html).toContain('see [§4].');
  });

  test('are left alone in code, and where no document is cited', () => {
    expect(render('`[§2]`')).toContain('<code>[§2]</code>');
    expect(renderToStaticMarkup(createElement(Markdown, { text: '[§2]', writing: false }))).toContain('[§2]');
  });
});

describe('uploads', () => {
  /** Uploads whose sending the test settles by hand. */
  function uploadsByHand() {
    const sent: {
      name: string;
      id: string;
      signal: AbortSignal;
      refuse: (error: unknown) => void;
      accept: () => void;
    }[] = [];
    const uploads = new Uploads({
      send: (file, { id, signal }) =>
        new Promise((resolve, reject) => {
          const accept = () => {
            resolve(documentOf('queued', ['pending'], { id: file.name }));
          };
          sent.push({ name: file.name, id, signal, refuse: reject, accept });
        }),
    });
    /** Resolves once the uploads look like this. */
    const become = (kinds: string[]) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (
            uploads
              .get()
              .map(({ state }) => state.kind)
              .join() !== kinds.join()
          )
            return;
          unsubscribe();
          resolve();
        };
        const unsubscribe = uploads.subscribe(look);
        look();
      });
    return { uploads, sent, become };
  }
  const files = (...names: string[]) => names.map((name) => new File(['text'], name));

  test('go two at a time, and wait for the list once they are accepted', async () => {
    const { uploads, sent, become } = uploadsByHand();
    uploads.add(files('a', 'b', 'c'));
    await become(['sending', 'sending', 'waiting']);
    await expect.poll(() => sent.length).toBe(2);
    sent[0]?.accept();
    await become(['accepted', 'sending', 'sending']);
    uploads.settle(new Set(['a']));
    expect(uploads.get().map(({ file }) => file.name)).toEqual(['b', 'c']);
  });

  test('are sent again under the same key, where that may help', async () => {
    const { uploads, sent, become } = uploadsByHand();
    uploads.add(files('a'));
    await expect.poll(() => sent.length).toBe(1);
    sent[0]?.refuse(new TokencastError('unavailable', 'Try again.', { status: 503 }));
    await become(['refused']);
    const [refused] = uploads.get();
    expect(refused?.state).toEqual({ kind: 'refused', words: 'Try again.', mayRetry: true });
    uploads.retry(refused?.id ?? '');
    await expect.poll(() => sent.length).toBe(2);
    expect(sent[1]?.id).toBe(sent[0]?.id);
  });

  test('are broken off, and make room for the next', async () => {
    const { uploads, sent, become } = uploadsByHand();
    uploads.add(files('a', 'b', 'c'));
    await expect.poll(() => sent.length).toBe(2);
    uploads.remove(sent[0]?.id ?? '');
    expect(sent[0]?.signal.aborted).toBe(true);
    sent[0]?.refuse(sent[0].signal.reason);
    await become(['sending', 'sending']);
    expect(uploads.get().map(({ file }) => file.name)).toEqual(['b', 'c']);
  });
});
