import { Square } from 'lucide-react';
import { counted, number, seconds, usd } from '../lib/format.js';
import type { Figures } from './figures.js';

/**
 * The figures of an answer in the order of their weight: what has no room falls off from the right.
 *
 * @param brief in a narrow column: how fast it was and what it cost
 */
export function FigureList({ figures, brief = false }: { figures: Figures; brief?: boolean }) {
  const { firstTokenMs, tokensPerSecond, tokens, estimated, costUsd, model, cached } = figures;
  return (
    <span className="figures" data-testid="figures">
      {cached && (
        <span title="The answer to an identical request, given before: it cost nothing">cached</span>
      )}
      {firstTokenMs !== null && (
        <span>
          <b>{seconds(firstTokenMs)}</b>
          {brief ? <span className="visually-hidden"> to first token</span> : ' to first token'}
        </span>
      )}
      {tokensPerSecond !== null && (
        <span>
          <b>{number(tokensPerSecond)}</b> tok/s
        </span>
      )}
      {tokens !== null && !brief && (
        <span title={estimated ? 'Estimated from the characters until the model has counted' : undefined}>
          <b>{number(tokens)}</b> {tokens === 1 ? 'token' : 'tokens'}
        </span>
      )}
      {costUsd !== null && costUsd > 0 && (
        <span>
          <span className="visually-hidden">cost </span>
          {usd(costUsd)}
        </span>
      )}
      {!brief && <span>{model}</span>}
    </span>
  );
}

export function StopButton({ stopping, onStop }: { stopping: boolean; onStop: () => void }) {
  return (
    <button type="button" className="button small stop-button" disabled={stopping} onClick={onStop}>
      <Square className="stop-glyph" size={10} aria-hidden />
      {stopping ? 'Stopping' : 'Stop'}
      <kbd aria-hidden>Esc</kbd>
    </button>
  );
}

/** While the connection is away: how much is held. */
export const heldWords = (tokens: number | null): string =>
  tokens === null
    ? 'Held before the first word. The rest follows.'
    : `Held at ${counted(tokens, 'token')}. The rest follows.`;
