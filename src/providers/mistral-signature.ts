/** Begins the signatures of Mistral's thinking in our chunks, since each provider refuses those of another. */
export const mistralSignature = 'mistral:';
