/** The event of a chunk, as the contract has it: what every system of a comparison tells its clients. */
export const chunkEvent = (room: string, generationId: string, text: string) => ({
  type: 'generation.chunk',
  room,
  at: new Date().toISOString(),
  generationId,
  messageId: generationId,
  chunk: { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
});
