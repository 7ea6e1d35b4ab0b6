import { Gauge, type Registry } from 'prom-client';
import type { ProviderName } from '../src/domain/models.js';
import type { ProviderGate } from './provider-gate.js';

/** Shows for how long nothing is sent to a provider since nothing is left of what may be asked of it. */
export function registerHoldMetric(
  registry: Registry,
  gates: readonly (readonly [ProviderName, Pick<ProviderGate, 'heldMs'>])[],
): void {
  new Gauge({
    name: 'tokencast_provider_held_seconds',
    help: 'For how long nothing is sent to the provider, by its rate limits; 0: it is asked.',
    labelNames: ['provider'],
    registers: [registry],
    async collect() {
      for (const [provider, gate] of gates) {
        // Without Redis it is not known.
        const heldMs = await gate.heldMs().catch(() => undefined);
        if (heldMs !== undefined) this.set({ provider }, heldMs / 1000);
      }
    },
  });
}
