import { useQuery } from '@tanstack/react-query';
import { FileText } from 'lucide-react';
import { useEffect } from 'react';
import type { ConversationView } from '../../../src/client/index.js';
import type { Citations } from '../markdown/citations.js';
import { documentPath, Link } from '../router.js';
import { http } from '../services.js';
import { useOwnLists } from '../sidebar/own-lists.js';
import { Icon } from '../ui/icon.js';
import { CitationLinks } from './citation-links.js';
import { rehypeCitations } from './rehype-citations.js';
import './about-document.css';
import './citations.css';

interface AboutDocumentProps {
  conversation: ConversationView;
  /** Hears how the conversation's answers cite the document. */
  onCitations: (citations: Citations | null) => void;
}

/** Which document a conversation is about. A document is its owner's alone: others see no more of it than its answers say. */
export default function AboutDocument({ conversation, onCitations }: AboutDocumentProps) {
  const id = conversation.role === 'owner' ? conversation.documentId : undefined;
  const { documents } = useOwnLists();
  const listed = documents?.find((document) => document.id === id);
  // The lists have the newest alone.
  const { data } = useQuery({
    queryKey: ['document', id],
    queryFn: ({ signal }) => http.getDocument(id ?? '', { signal }),
    enabled: id !== undefined && documents !== null && !listed,
    retry: false,
  });
  const document = listed ?? data;
  const documentId = document?.id;
  const sectionsTotal = document?.sections.length ?? 0;
  useEffect(() => {
    if (documentId === undefined) return;
    onCitations({ documentId, rehypePlugins: [[rehypeCitations, sectionsTotal]], Cite: CitationLinks });
    return () => {
      onCitations(null);
    };
  }, [documentId, sectionsTotal, onCitations]);
  if (!document) return null;
  return (
    <p className="about-document">
      <Icon of={FileText} size={14} />
      About <Link href={documentPath(document.id)}>{document.name}</Link>
    </p>
  );
}
