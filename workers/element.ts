/** Text in a tag that it cannot close. */
export function element(name: string, attributes: Record<string, string | number>, text: string): string {
  const shown = Object.entries(attributes).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  return `<${name}${shown.join('')}>\n${text.replaceAll(`</${name}`, `<\\/${name}`)}\n</${name}>`;
}
