/** `tokencast start`: what `npm start` starts, in this process. */
export async function start(): Promise<void> {
  await import('../main.js');
}
