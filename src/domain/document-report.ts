import type { CitedText, Document, Section } from './document.js';

/** The result of a document as Markdown, as far as there is one. Sections are numbered from 1. */
export function documentReport(document: Document): string {
  const { name, result, sections } = document;
  const parts = [
    `# ${inline(name)}`,
    standing(document),
    result.summary === null ? '' : `## Summary\n\n${result.summary}`,
    list('Key points', result.keyPoints),
    entityTable(document),
    list('Recommendations', result.recommendations),
    sections.length === 0 ? '' : ['## Sections', ...sections.map(sectionPart)].join('\n\n'),
  ];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

function standing({ status, progress, sections, error }: Document): string {
  const { sectionsDone, sectionsTotal } = progress;
  const failed = sections.filter((section) => section.status === 'failed').length;
  const left = failed > 0 ? ` ${failed} of ${sectionsTotal} sections could not be analysed.` : '';
  switch (status) {
    case 'completed':
      return left.trim();
    case 'queued':
    case 'running':
      return `The analysis is under way: ${sectionsDone} of ${sectionsTotal} sections are done.${left}`;
    case 'cancelled':
      return `The analysis was stopped: ${sectionsDone} of ${sectionsTotal} sections are done.${left}`;
    case 'failed':
      return `The analysis failed: ${inline(error?.message ?? 'something went wrong.')}${left}`;
  }
}

const list = (title: string, items: readonly CitedText[]): string =>
  items.length === 0
    ? ''
    : [
        `## ${title}`,
        items.map(({ text, sections }) => `- ${inline(text)} ${cite(sections)}`).join('\n'),
      ].join('\n\n');

function entityTable({ result: { entities } }: Document): string {
  if (entities.length === 0) return '';
  const rows = entities.map(
    ({ name, type, sections }) => `| ${cell(name)} | ${cell(type)} | ${cite(sections)} |`,
  );
  return ['## Entities', ['| name | type | sections |', '| --- | --- | --- |', ...rows].join('\n')].join(
    '\n\n',
  );
}

function sectionPart({ index, title, text, status, error }: Section): string {
  const note: Record<Section['status'], string> = {
    done: '',
    pending: '*Not analysed yet.*',
    running: '*Being analysed.*',
    cancelled: '*Stopped.*',
    failed: `*Could not be analysed: ${inline(error?.message ?? 'something went wrong.')}*`,
  };
  const anchor = `<a id="section-${index + 1}"></a>`;
  return [`${anchor}\n\n### ${index + 1}. ${inline(title)}`, text.trim(), note[status]]
    .filter(Boolean)
    .join('\n\n');
}

const cite = (sections: readonly number[]): string =>
  `(${sections.map((index) => `[${index + 1}](#section-${index + 1})`).join(', ')})`;

/** One line, whatever it holds. */
const inline = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[<[\]]/g, '\\$&');
const cell = (text: string): string => inline(text).replaceAll('|', '\\|');
