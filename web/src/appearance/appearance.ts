import { Store } from '../lib/store.js';
import { stored } from '../lib/stored.js';

export const appearances = ['system', 'light', 'dark'] as const;
export type Appearance = (typeof appearances)[number];

const key = 'tokencast.appearance';

/** Light, dark, or what the system says; kept in this browser. */
export const appearance = new Store<Appearance>(
  appearances.find((one) => one === stored.get(key)) ?? 'system',
);

/** Puts the choice on the page, now and at every change. */
export function applyAppearance(): void {
  const apply = () => {
    const chosen = appearance.get();
    stored.set(key, chosen === 'system' ? '' : chosen);
    if (chosen === 'system') delete document.documentElement.dataset.appearance;
    else document.documentElement.dataset.appearance = chosen;
  };
  appearance.subscribe(apply);
  apply();
}
