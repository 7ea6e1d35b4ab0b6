/** Control characters but line feed and tab: what others write must not steer the terminal. */
// eslint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** The text without what a terminal would take for a command. */
export const harmless = (text: string): string => text.replace(controls, '');
