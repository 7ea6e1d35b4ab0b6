import { convert } from 'html-to-text';
import { inThread } from '../../src/lib/in-thread.js';

/** What a page of HTML says, as text. In a thread of its own: there are pages that it would never come to the end of. */
export default inThread((html: string): string =>
  convert(html, {
    wordwrap: false,
    baseElements: { selectors: ['body'], returnDomByDefault: true },
    limits: { maxDepth: 200 },
    selectors: [
      { selector: 'a', options: { ignoreHref: true } },
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({
        selector,
        options: { uppercase: false },
      })),
      { selector: 'table', format: 'dataTable', options: { uppercaseHeaderCells: false } },
      ...['img', 'nav', 'noscript', 'svg', 'template'].map((selector) => ({ selector, format: 'skip' })),
    ],
  }),
);
