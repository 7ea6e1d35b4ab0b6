interface SegmentedProps<T extends string> {
  /** What is chosen, for who does not see it. */
  label: string;
  /** Of the radio group: unique on the page. */
  name: string;
  options: readonly { value: T; label: string; disabled?: boolean }[];
  value: T;
  onChange: (value: T) => void;
}

/** One of few, all in sight. A radio group: arrows move, Tab leaves. */
export function Segmented<T extends string>({ label, name, options, value, onChange }: SegmentedProps<T>) {
  return (
    <div className="segmented" role="radiogroup" aria-label={label}>
      {options.map((option) => (
        <label key={option.value}>
          <input
            type="radio"
            className="visually-hidden"
            name={name}
            checked={option.value === value}
            disabled={option.disabled}
            onChange={() => {
              onChange(option.value);
            }}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </div>
  );
}
