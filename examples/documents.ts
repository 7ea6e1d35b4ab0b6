/** Uploads a text, watches its sections being analysed, and reads the result. */
import { signIn } from './support.js';

const { http, events } = await signIn('Ada');

const chapters = ['The harbour', 'The storm', 'The lighthouse', 'The way home'];
const text = chapters
  .map((title) => `# ${title}\n\n${`The crew of the Halcyon wrote this down in the year 1893. `.repeat(30)}`)
  .join('\n\n');

const { id, name, bytes } = await http.uploadDocument(new Blob([text], { type: 'text/markdown' }), {
  name: 'logbook.md',
});
console.log(`accepted: ${name}, ${bytes} bytes`);

for await (const event of events(`/v1/documents/${id}/events`)) {
  if (event.type === 'document.section') {
    const { title } = event.document.sections[event.index] ?? {};
    console.log(`section ${event.index + 1} of ${event.total}, "${title ?? ''}": ${event.status}`);
  }
  if (event.type === 'document.phase') console.log(`phase ${event.phase}: ${event.status}`);
  const ended = ['document.completed', 'document.cancelled', 'document.failed'].includes(event.type);
  if (ended) break; // the room stays open: a section can be tried again
}

const { status, progress, result } = await http.getDocument(id);
console.log(`\n${status}, ${progress.percent} %`);
console.log(`Summary: ${result.summary ?? ''}`);
for (const { text: point, sections } of result.keyPoints)
  console.log(`- ${point} (sections ${sections.map((index) => index + 1).join(', ')})`);

// The same as Markdown; `POST /v1/conversations` with the document's id asks questions about it.
console.log(`\n${(await http.getReport(id)).split('\n').slice(0, 8).join('\n')}\n…`);
