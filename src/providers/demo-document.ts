/** What the demo model makes of a document: sentences out of it, chosen by simple rules. */

interface DemoSection {
  index: number;
  sentences: string[];
}

const sectionPattern = /<section index=(\d+) title="(?:[^"\\]|\\.)*">\n([\s\S]*?)\n<\/section>/g;

/** The answer to a request about a document as `workers/document-prompt.ts` makes them; undefined: it is another. */
export function demoDocument(
  question: string,
  schema: Record<string, unknown> | undefined,
): string | undefined {
  if (!question.startsWith('<document-name>')) return undefined;
  const sections = [...question.matchAll(sectionPattern)].map(([, index, text]) => ({
    index: Number(index),
    sentences: sentencesOf(text ?? ''),
  }));
  const [first] = sections;
  if (!first) return undefined;
  if (/\nAnalyse section \d+\.$/.test(question)) return analysis(first);
  const list = Object.keys(schema?.properties ?? {})[0];
  switch (list) {
    case 'keyPoints':
      return json(list, leads(sections, 8));
    case 'recommendations':
      return json(list, recommendations(sections));
    case 'entities':
      return json(list, entities(sections));
    default:
      return summary(sections);
  }
}

const json = (name: string, items: object[]) => JSON.stringify({ [name]: items }, null, 2);

const numberedPattern = /<section number=(\d+) title="(?:[^"\\]|\\.)*">\n([\s\S]*?)\n<\/section>/g;

/** The answer to a question about a document that stands in the system prompt; undefined: none does. */
export function demoDocumentAnswer(question: string, system: string): string | undefined {
  if (!system.includes('<document-name>')) return undefined;
  const words = new Set((question.toLowerCase().match(/\p{L}{4,}/gu) ?? []).map((word) => word.slice(0, 6)));
  const found = [...system.matchAll(numberedPattern)]
    .flatMap(([, number, text]) =>
      sentencesOf(text ?? '').map((sentence) => ({ number: Number(number), sentence })),
    )
    .map((candidate) => {
      const said = candidate.sentence.toLowerCase();
      return { ...candidate, score: [...words].filter((word) => said.includes(word)).length };
    })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, 3);
  if (found.length === 0) return 'The document does not say.';
  return found.map(({ number, sentence }) => `${sentence} [\u00A7${number}]`).join(' ');
}

/** Sentences of Markdown without its marks; linear in the length of the text. */
function sentencesOf(markdown: string): string[] {
  const text = markdown
    .replace(/^(#{1,6} .*|\|.*|```.*|~~~.*)$/gm, '')
    .replace(/[*_`>]/g, '')
    .replace(/\[([^\]]{0,200})\]\([^)]{0,500}\)/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
  return Array.from(new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text), ({ segment }) =>
    segment.trim(),
  ).filter((sentence) => sentence.length > 20 && sentence.length < 400);
}

/** The first sentence, and those with figures: at most four, in their order. */
function analysis({ sentences }: DemoSection): string {
  const [first, ...rest] = sentences;
  if (first === undefined) return 'This section has no sentences that could be quoted.';
  const telling = rest.filter((sentence) => /\d/.test(sentence));
  const chosen = new Set([first, ...telling, ...rest].slice(0, 4));
  return sentences.filter((sentence) => chosen.has(sentence)).join(' ');
}

function summary(sections: readonly DemoSection[]): string {
  const points = leads(sections, 8).map(({ text }) => text);
  const half = Math.ceil(points.length / 2);
  return [points.slice(0, half).join(' '), points.slice(half).join(' ')].filter(Boolean).join('\n\n');
}

/** The first sentences of the sections, of at most so many, spread over the document. */
function leads(sections: readonly DemoSection[], most: number): { text: string; sections: number[] }[] {
  const step = Math.max(1, sections.length / most);
  return Array.from(
    { length: Math.min(most, sections.length) },
    (_, i) => sections[Math.floor(i * step)],
  ).flatMap((section) =>
    section?.sentences[0] ? [{ text: section.sentences[0], sections: [section.index] }] : [],
  );
}

function recommendations(sections: readonly DemoSection[]): { text: string; sections: number[] }[] {
  const asking = sections.flatMap(({ index, sentences }) =>
    sentences
      .filter((sentence) => /\b(should|must|need(s|ed)? to|recommend\w*|ought)\b/i.test(sentence))
      .map((text) => ({ text, sections: [index] })),
  );
  return asking.slice(0, 6);
}

function entities(sections: readonly DemoSection[]): { name: string; type: string; sections: number[] }[] {
  const found = new Map<string, Set<number>>();
  for (const { index, sentences } of sections) {
    for (const sentence of sentences) {
      // Not the first word, which is capitalised in any case.
      for (const [name] of sentence.matchAll(/(?<=\s)\p{Lu}[\p{L}’'-]{2,}(?: \p{Lu}[\p{L}’'-]+){0,3}/gu))
        found.set(name, (found.get(name) ?? new Set()).add(index));
    }
  }
  return [...found]
    .sort((a, b) => b[1].size - a[1].size)
    .slice(0, 12)
    .map(([name, indexes]) => ({
      name,
      type: name.includes(' ') ? 'person' : 'name',
      sections: [...indexes],
    }));
}
