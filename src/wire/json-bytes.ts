const encoder = new TextEncoder();

/** How many bytes a value takes as JSON; 0: it is no value of JSON. */
export function jsonBytes(value: unknown): number {
  const json = JSON.stringify(value) as string | undefined;
  return json === undefined ? 0 : encoder.encode(json).length;
}
