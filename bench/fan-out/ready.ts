/** Tells who has started this process that it serves; it ends with that one. */
export function tellReady(): void {
  process.send?.('ready');
  process.once('disconnect', () => process.exit());
}
