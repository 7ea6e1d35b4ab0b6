import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { v4 as uuid } from 'uuid';
import { hasDocumentEnded, TokencastError, type Document } from '../../../src/client/index.js';
import { navigate, roomPath } from '../router.js';
import { http } from '../services.js';
import { toastError } from '../ui/toasts.js';

const titleLimit = 120;

/** What was asked for has come about already: a click in another window was faster. */
function tell(doing: string) {
  return (error: unknown) => {
    const code = error instanceof TokencastError ? error.code : null;
    if (code !== 'document_running' && code !== 'document_ended') toastError(doing, error);
  };
}

/** Runs what is missing of a document. */
export function useResume(documentId: string) {
  return useMutation({
    mutationFn: () => http.resumeDocument(documentId, { idempotencyKey: uuid() }),
    onError: tell('Going on'),
  });
}

/** Runs sections again, each alone. */
export function useRetrySection(documentId: string) {
  return useMutation({
    mutationFn: (index: number) => http.retrySection(documentId, index, { idempotencyKey: uuid() }),
    onError: tell('Retrying the section'),
  });
}

/** Stops a document; `stopping` until its last running section has ended. */
export function useStop(document: Pick<Document, 'id' | 'status'> | null) {
  const [asked, setAsked] = useState(false);
  const hasEnded = document === null || hasDocumentEnded(document.status);
  if (hasEnded && asked) setAsked(false);
  const { mutate } = useMutation({
    mutationFn: (id: string) => http.cancelDocument(id),
    onMutate: () => {
      setAsked(true);
    },
    onError: (error) => {
      setAsked(false);
      tell('Stopping')(error);
    },
  });
  const stop = () => {
    if (document) mutate(document.id);
  };
  return { stopping: asked && !hasEnded, stop };
}

/** Opens a conversation that has the document as its context. */
export function useAskAbout() {
  return useMutation({
    mutationFn: ({ id, name }: Pick<Document, 'id' | 'name'>) =>
      http.createConversation(
        { title: `About ${name}`.slice(0, titleLimit).toWellFormed(), documentId: id },
        { idempotencyKey: uuid() },
      ),
    onSuccess: ({ id }) => {
      navigate(roomPath(id));
    },
    onError: (error) => {
      toastError('Opening a conversation', error);
    },
  });
}
