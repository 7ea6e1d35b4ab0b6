/**
 * Where the focus goes when a dialog closes: to where one writes, else to where it was. Not after a touch, which would
 * bring up the keyboard.
 */
export const focusAfterDialog = (closedBy: string): HTMLElement | true =>
  (closedBy !== 'touch' && document.querySelector<HTMLElement>('.composer textarea')) || true;
