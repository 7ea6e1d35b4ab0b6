import type { Part } from '../part.js';
import { lateJoins } from './late-joins.js';
import { storms } from './storms.js';

/** What it costs to come late to a long answer, and to come back with many others at once. */
export const resume: Part = {
  name: 'resume',
  title: 'Late join and resume',
  measure: async (options) =>
    `### Late join\n\n${await lateJoins(options)}\n\n### Reconnecting at once\n\n${await storms(options)}`,
};
