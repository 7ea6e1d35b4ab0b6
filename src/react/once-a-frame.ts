/**
 * A listener that is called at most once a frame, however often it is told: tokens come faster than screens paint.
 * Hidden pages have no frames; there it is called ten times a second.
 */
export function onceAFrame(listener: () => void): { listener: () => void; cancel: () => void } {
  let cancelPlanned: (() => void) | undefined;
  const run = () => {
    cancelPlanned = undefined;
    listener();
  };
  return {
    listener: () => {
      if (cancelPlanned) return;
      // Not all that runs React has frames.
      if (typeof requestAnimationFrame === 'undefined' || document.hidden) {
        const timer = setTimeout(run, 100);
        cancelPlanned = () => {
          clearTimeout(timer);
        };
      } else {
        const frame = requestAnimationFrame(run);
        cancelPlanned = () => {
          cancelAnimationFrame(frame);
        };
      }
    },
    cancel: () => {
      cancelPlanned?.();
      cancelPlanned = undefined;
    },
  };
}
