import hljs from 'highlight.js/lib/common';
import MarkdownIt from 'markdown-it';

/**
 * Markdown as HTML that may stand in any page: what Markdown knows and nothing else. Raw HTML is shown as text, of images
 * their alternative text is left, links go to http, https and mailto alone (others stay as they were written), and code
 * is highlighted by the classes of highlight.js, without a style of its own.
 */
export function renderMarkdown(source: string): string {
  return markdown.render(source);
}

/** The language of a fence, as its class says it; null: it names none. */
export function languageOf(info: string): string | null {
  const name = /^\s*([\w+#.-]{1,40})(?:\s|[{,:]|$)/.exec(info)?.[1];
  return name?.toLowerCase() ?? null;
}

// `html: false` shows raw HTML as text.
const markdown = new MarkdownIt({ html: false, linkify: true });
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
// Called with the whole address, its entities and escapes resolved.
markdown.validateLink = (url) => /^(?:https?:\/\/|mailto:)/i.test(url);

const { rules } = markdown.renderer;
const { escapeHtml } = markdown.utils;

rules.fence = (tokens, index) => {
  const { content = '', info = '' } = tokens[index] ?? {};
  return codeHtml(content, languageOf(info));
};
rules.code_block = (tokens, index) => codeHtml(tokens[index]?.content ?? '', null);
rules.image = (tokens, index, options, env) => {
  const { children, content = '' } = tokens[index] ?? {};
  return escapeHtml(children ? markdown.renderer.renderInlineAsText(children, options, env) : content);
};
rules.link_open = (tokens, index, options, _env, self) => {
  tokens[index]?.attrSet('target', '_blank');
  tokens[index]?.attrSet('rel', 'noopener noreferrer nofollow');
  return self.renderToken(tokens, index, options);
};
// Pages with a strict policy for contents take no styles.
rules.th_open = rules.td_open = (tokens, index, options, _env, self) => {
  const token = tokens[index];
  const align = /^text-align:(left|center|right)$/.exec(String(token?.attrGet('style')))?.[1];
  if (token) token.attrs = align ? [['class', `align-${align}`]] : null;
  return self.renderToken(tokens, index, options);
};

function codeHtml(code: string, language: string | null): string {
  const highlighted =
    language !== null && hljs.getLanguage(language)
      ? hljs.highlight(code, { language, ignoreIllegals: true }).value
      : escapeHtml(code);
  const classes = language === null ? 'hljs' : `hljs language-${escapeHtml(language)}`;
  return `<pre><code class="${classes}">${highlighted}</code></pre>\n`;
}
