const heading = /^#{1,6}\s+(.+?)\s*#*$/;
const fence = /^\s*(```|~~~)/;
/** What a line of code begins, in the common languages. */
const definition =
  /^\s*(?:(?:export|default|public|private|protected|static|abstract|final|async|pub)\s+)*(class|interface|enum|struct|trait|function|def|fn|func)\s+([A-Za-z_$][\w$]*)/;
const maxLineLength = 500;
const maxLabelLength = 80;

/** A short label of what is being written: the heading, or the class or function in a code block ("class PdfMerger"). */
export class Stage {
  label: string | null = null;
  #line = '';
  #inCode = false;

  add(text: string): void {
    if (text.includes('\n')) {
      const lines = (this.#line + text).split('\n');
      this.#line = (lines.pop() ?? '').slice(0, maxLineLength);
      for (const line of lines) this.#read(line);
    } else if (this.#line.length < maxLineLength) {
      this.#line = (this.#line + text).slice(0, maxLineLength);
    }
    // A definition is known before its line has ended.
    if (this.#inCode && this.#line.includes('{', 6)) this.#define(this.#line);
  }

  #read(line: string): void {
    if (fence.test(line)) {
      this.#inCode = !this.#inCode;
      return;
    }
    if (this.#inCode) this.#define(line);
    else this.#show(heading.exec(line)?.[1]);
  }

  #define(line: string): void {
    const [, kind, name] = definition.exec(line) ?? [];
    if (kind && name) this.#show(`${kind} ${name}`);
  }

  #show(label: string | undefined): void {
    if (label) this.label = label.slice(0, maxLabelLength);
  }
}
