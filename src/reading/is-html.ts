/** Whether a text is an HTML page: it begins as one, behind comments and an XML declaration. */
export function isHtml(text: string): boolean {
  const head = text
    .slice(0, 4096)
    .replace(/^\s*<\?xml[^>]*>/i, '')
    .replace(/^(\s*<!--[\s\S]*?-->)+/, '');
  return /^\s*<(!doctype\s+html|html|head|body|article|section|main|h[1-6]|div|p|table|ul|ol|title|meta)[\s>/]/i.test(
    head,
  );
}
