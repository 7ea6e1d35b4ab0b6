import { useEffect, useRef, useState } from 'react';

const holdsFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes('Files') === true;

/** Takes files that are dropped anywhere on the page. Returns whether some are being held over it. */
export function useFileDrop(onFiles: (files: readonly File[]) => void): boolean {
  const [over, setOver] = useState(false);
  const latest = useRef(onFiles);
  useEffect(() => {
    latest.current = onFiles;
  });
  useEffect(() => {
    // Entering an element within comes before leaving the one around it.
    let depth = 0;
    const on = (type: 'dragenter' | 'dragover' | 'dragleave' | 'drop', act: (event: DragEvent) => void) => {
      const listener = (event: DragEvent) => {
        if (holdsFiles(event)) act(event);
      };
      addEventListener(type, listener);
      return () => {
        removeEventListener(type, listener);
      };
    };
    const ways = [
      on('dragenter', () => {
        depth += 1;
        setOver(true);
      }),
      on('dragover', (event) => {
        event.preventDefault();
      }),
      on('dragleave', () => {
        depth -= 1;
        if (depth <= 0) setOver(false);
      }),
      on('drop', (event) => {
        event.preventDefault();
        depth = 0;
        setOver(false);
        latest.current([...(event.dataTransfer?.files ?? [])]);
      }),
    ];
    return () => {
      for (const off of ways) off();
    };
  }, []);
  return over;
}
