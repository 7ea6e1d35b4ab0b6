/** The mark: the line, and what is said along it. The last stroke is live. */
export function BrandMark({ size = 16 }: { size?: number }) {
  return (
    <svg
      className="brand-mark"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="currentColor"
      aria-hidden
    >
      <rect x="1" y="0.7" width="2" height="14.6" rx="1" />
      <rect x="5.3" y="3.1" width="10" height="1.9" rx="0.95" />
      <rect x="5.3" y="7.1" width="7.8" height="1.9" rx="0.95" />
      <rect className="brand-live" x="5.3" y="11.1" width="4.7" height="1.9" rx="0.95" />
    </svg>
  );
}
