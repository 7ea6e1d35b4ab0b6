import type { Message } from '../../../src/client/index.js';

/** A message does not tell whether it was to be answered: what this page sends as a remark says so itself. */
export const remarkMetadata = { remark: true };

export const isRemark = ({ metadata }: Message): boolean => metadata?.remark === true;
