import type { SectionStatus } from '../../domain/document.js';
import type { DocumentRow, StepRow } from '../../store/documents.js';
import { readDocumentHead } from '../../store/document-views.js';
import { documentRoom } from '../../wire/room.js';
import type { Work } from '../work.js';

/** Tells the room how a section or phase stands now. */
export async function tellStep(
  work: Work,
  row: DocumentRow,
  { position, phase }: Pick<StepRow, 'position' | 'phase'>,
  status: SectionStatus,
): Promise<void> {
  const room = documentRoom(row.id);
  const document = await readDocumentHead(work.tx, row);
  if (phase !== null) work.tell(room, 'document.phase', { document, phase, status });
  else
    work.tell(room, 'document.section', {
      document,
      index: position,
      total: document.sections.length,
      status,
    });
}
