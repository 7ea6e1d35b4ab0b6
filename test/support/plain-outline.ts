/** The events of a question and a plain answer to it, in a word each; neighbouring deltas count as one. */
export const plainOutline = [
  'message.created',
  'generation.queued',
  'generation.started',
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
  'generation.completed',
];
