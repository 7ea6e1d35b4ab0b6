import './citations.css';

interface CitesProps {
  sections: readonly number[];
  total: number;
  onCite: (index: number) => void;
}

/** The sections that say so, each to be gone to. */
export function Cites({ sections, total, onCite }: CitesProps) {
  return (
    <span className="cites">
      {sections
        .filter((index) => index < total)
        .map((index) => (
          <button
            key={index}
            type="button"
            className="citation"
            aria-label={`Section ${index + 1}`}
            onClick={() => {
              onCite(index);
            }}
          >
            §{index + 1}
          </button>
        ))}
    </span>
  );
}
