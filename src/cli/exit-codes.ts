/** As shells count: 128 and the number of SIGINT. */
export const interruptedCode = 130;
