/** What stands in the pictures: who says what, and what the model writes. */

export const title = 'Export service: backpressure';

/** The conversations of the sidebar, and how many minutes ago they changed. */
export const conversations: readonly (readonly [title: string, minutesAgo: number])[] = [
  ['Postgres 17 upgrade plan', 4],
  ['Tidal barrier: questions', 9],
  ['On-call handover, week 47', 21],
  ['Release notes 2.4', 163],
  ['Query planner regressions', 251],
  ...days(
    1,
    'Naming the billing events',
    'S3 multipart limits and what they cost us',
    'Interview loop, data team',
  ),
  ...days(1.1, 'Incident 0318 review'),
  ...days(3, 'Redis Streams or Kafka?', 'Accessibility audit: checkout', 'Pricing page, third draft'),
  ...days(5, 'Onboarding for the Porto team', 'Slow joins in reporting'),
];

function days(ago: number, ...titles: string[]) {
  return titles.map((one, n): readonly [string, number] => [one, ago * 1440 + n]);
}

/** More than any model reads at once. */
export const tooLong = Array.from({ length: 30 }, (_, n) => ({
  role: n % 2 ? ('assistant' as const) : ('user' as const),
  content: 'word '.repeat(6000),
}));

export const earlier = [
  { role: 'user' as const, content: 'What does the export service do when a reader is slow?' },
  {
    role: 'assistant' as const,
    content:
      'It goes on reading rows. Nothing in the loop waits for the socket, so what the reader has not taken yet stays in memory until it does, or until the connection closes.',
  },
];
export const remarks = {
  ilse: 'Same shape as the incident in March, the notes are in 0318. Off to the train.',
  tomas: 'The dashboard agrees: 61 downloads sat idle for over a minute at 02:40.',
};
export const question =
  'Memory climbs to 1.1 GB with slow clients. Where does it sit, and what is the smallest fix?';
export const shortQuestion = 'Memory climbs to 1.1 GB with slow clients. Where does it sit?';
export const waiting = {
  noor: 'Does the same hold for the Parquet writer?',
  tomas:
    'Write a test that fails without the fix, with a reader that stalls for ten seconds and then goes on',
};
export const draft = 'And cap the open downloads per tenant, if';

export const thinking = `checked what a paused socket keeps\n${'The response keeps what the socket does not take, and the loop never asks whether it did. '.repeat(19)}`;
export const calculation = 'round((1126 - 148) / 61, 2)';
const sits =
  'It sits in the response buffers. `res.write()` returns `false` when the socket is full and the loop ignores it, so each stalled download keeps about **16 MB**';
const code = `export async function exportCsv(rows: AsyncIterable<Row>, res: ServerResponse) {
  const closed = once(res, "close");
  for await (const row of rows) {
    if (res.write(toCsvLine(row))) continue;
`;
export const answer = `${sits}; 61 of them are the missing gigabyte. Wait for \`drain\`:

\`\`\`ts export.ts
${code}    // Full: wait until the socket has drained or is gone.
    await Promise.race([once(res, "drain"), closed]);
    if (res.destroyed) retu`;
export const shortAnswer = `${sits}.

\`\`\`ts export.ts
${code}    // Full: wait until it drai`;

export const workshop = {
  title: 'PDF merger',
  first: 'Generate a class that merges PDFs, with page ranges. TypeScript, pdf-lib, no other dependency.',
  change: 'Make the range a type of its own and keep the pages in the order they are given.',
  version1: `A merger that takes whole files. Ranges are parsed from strings such as \`3-7\`.

\`\`\`ts pdf-merger.ts
${Array.from({ length: 96 }, (_, n) => `const line${n + 1} = ${n};`).join('\n')}
\`\`\``,
  version2: `Ranges become a class; \`append\` keeps their order.

\`\`\`ts pdf-merger.ts
import { PDFDocument } from "pdf-lib";
import { readFile, writeFile } from "node:fs/promises";

/** A file and the pages of it that are wanted, counted from 1. */
export interface PdfSource {
  path: string;
  pages?: PageRange[];
}

export class PageRange {
  constructor(readonly first: number, readonly last = first) {
    if (first < 1 || last < first) {
      throw new RangeError(\`bad page range \${first}-\${last}\`);
    }
  }

  indices(count: number): number[] {
    const end = Math.min(this.last, count);
    return Array.from({ length: end - this.first + 1 }, (_, i) => this.first + i - 1);
  }
}

export class PdfMerger {
  #out?: PDFDocument;
  #pages = 0;

  /** Appends the wanted pages and says how many there were. */
  async append(source: PdfSource): Promise<number> {
    const input = await PDFDocument.load(await readFile(source.path));
    const count = input.getPageCount();
    const wanted = source.pages?.flatMap((range) => range.indices(count))
      ?? input.getPageIndices();
    this.#out ??= await PDFDocument.create();
    for (const page of await this.#out.copyPa`,
};

/** The sections of the document that is being read. */
export const sections: readonly { title: string; source: readonly string[]; text: string }[] = [
  ...[
    'Purpose and scope',
    'Site and bathymetry',
    'Tide and surge record',
    'Barrier alignment',
    'Foundations',
    'Hydraulic model',
    'Gate design',
  ].map((one) => ({
    title: one,
    source: ['The record of three years was read for this, and what it says was found by two parties.'],
    text: 'It says what was found and by whom, names the figures for each of the three years, and leaves the question of cost to a later section of the report.',
  })),
  {
    title: 'Sluice capacity and turbine options',
    source: ['Twelve sluices of 9 m each were modelled against the design ebb.'],
    text: 'Twelve 9 m sluices pass the design ebb; fewer would raise upstream levels by 0.4 m. Bulb turbines beat straight-flow on cost, not on fish mortality.',
  },
  {
    title: 'Sediment and dredging',
    source: ['Some 340,000 cubic metres are dredged in a year at present.'],
    text: '',
  },
  {
    title: 'Navigation and the lock',
    source: [
      'A single lock of 180 by 25 m serves all traffic. Simulated delays are 22 minutes at the median and 51 minutes at the 95th percentile.',
      'The harbour board accepts the lock only with a holding berth seaward of it. The berth was surveyed in May and again in October; holding ground is firm clay under 0.6 m of silt.',
    ],
    text: 'A single lock delays commercial traffic by 22 minutes at the median. The harbour board accepts that only with a holding berth on the seaward side.',
  },
  {
    title: 'Ecology of the inner estuary',
    source: [
      'The intertidal area between low water and mean tide is 1,180 ha at present. With the barrier closed on the ebb this falls to 814 ha, a loss of 366 ha, most of it mudflat on the north shore.',
      'Dunlin and knot feed there from November to March. Counts over nine winters give a mean peak of 11,400 and 3,900 birds. Neither has been seen to move to the saltmarsh at the head of the estuary.',
      'A replacement area of 210 ha is proposed at Holm. Modelled inundation there is 41 % of tides, against 78 % for the flats that are lost.',
    ],
    text: 'The barrier removes 31 % of the intertidal mudflat between low water and mean tide. Two wader species lose their main winter feeding ground, and the report’s replacement area at Holm is flooded too rarely to take their place before',
  },
  {
    title: 'Flood protection benefit',
    source: [
      'Properties at risk were counted from the 2021 address register within the modelled outline of a surge in 200 years. Losses avoided are discounted at 3.5 % for thirty years and 3.0 % after that.',
      'Three sea-level paths were run; the central one adds 0.58 m by 2090 and is used for all figures unless the text says otherwise.',
    ],
    text: 'Protects 14,200 homes against the 1-in-200-year surge. The benefit rests on a sea-level path of 0.58 m',
  },
  {
    title: 'Cost estimate',
    source: ['The central estimate is 1.84 bn at prices of 2024.'],
    text: 'Central estimate 1.84 bn, with',
  },
  ...[
    'Financing and tariffs',
    'Construction sequence',
    'Legal consents',
    'Alternatives considered',
    'Programme and risks',
  ].map((one) => ({ title: one, source: ['What is proposed is set out in the annex.'], text: '' })),
];

/** A document that is done with: how it went, and what it is to have cost. */
export interface DoneDocument {
  name: string;
  sections: number;
  costUsd: number;
  daysAgo: number;
  /** The index of a section that failed. */
  fails?: number;
  /** It was stopped after so many sections. */
  stopsAfter?: number;
}

/** The documents that are done with, oldest first. */
export const documents: readonly DoneDocument[] = [
  { name: 'navigation-safety-case.pdf', sections: 22, costUsd: 0.27, daysAgo: 6 },
  { name: 'tender-briefing.txt', sections: 4, costUsd: 0.02, daysAgo: 6 },
  { name: 'sediment-model-calibration-notes.pdf', sections: 31, costUsd: 0.42, daysAgo: 1 },
  { name: 'wetland-compensation.md', sections: 9, costUsd: 0.08, daysAgo: 1 },
  { name: 'minutes-steering-group.html', sections: 14, costUsd: 0.11, daysAgo: 0, fails: 5 },
  { name: 'cost-annex-b.pdf', sections: 12, costUsd: 0.1, daysAgo: 0, stopsAfter: 7 },
];

/** What Ada's answers cost on each of the last thirty days, in US dollars; today last. */
export const dailyUsd = [
  0.62, 1.3, 1.08, 0.94, 0.1, 0.03, 1.42, 2.11, 1.66, 1.93, 1.2, 0.2, 0, 1.71, 2.42, 3.05, 2.2, 1.52, 0.33,
  0.07, 1.88, 2.64, 2.31, 3.42, 2.02, 0.39, 0.1, 2.13, 2.92, 1.84,
];
/** What each model has of them: its share of the cost, and what it did for a dollar. */
export const spending = [
  { model: 'claude-sonnet-4-5', share: 0.62, answers: 14, input: 98_000, output: 24_000 },
  { model: 'claude-haiku-4-5', share: 0.25, answers: 93, input: 181_000, output: 34_000 },
  { model: 'mistral-small-latest', share: 0.13, answers: 95, input: 282_000, output: 50_000 },
];

/** What the structured answer is to be. */
export const invoiceSchema = {
  title: 'invoice',
  type: 'object',
  properties: {
    number: { type: 'string' },
    currency: { type: 'string' },
    lines: {
      type: 'array',
      items: {
        type: 'object',
        properties: { text: { type: 'string' }, amount: { type: 'number' } },
        required: ['text', 'amount'],
        additionalProperties: false,
      },
    },
    total: { type: 'number' },
  },
  required: ['number', 'currency', 'lines', 'total'],
  additionalProperties: false,
};
