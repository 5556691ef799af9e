// What the store holds for Prometheus, as it was last counted.

import { Gauge, type Registry } from 'prom-client';
import type { StoreUsage } from './stats.ts';

export class StoreMetrics {
  readonly #registry: Registry;
  readonly #layers: Gauge<string>;
  readonly #reasons: Gauge<string>;
  readonly #hotLayers: Gauge<string>;
  readonly #hotBytes: Gauge<string>;
  readonly #bytes: Gauge<string>;
  readonly #quota: Gauge<string>;
  readonly #files: Gauge<string>;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#layers = this.#gauge('layers', 'Layers by how they are kept', 'state');
    this.#reasons = this.#gauge('whole_layers', 'Layers that stay whole, by reason', 'reason');
    this.#hotLayers = this.#gauge('hot_layers', 'Layers kept whole beside their recipe');
    this.#hotBytes = this.#gauge('hot_bytes', 'Bytes of layers kept whole beside their recipe');
    this.#bytes = this.#gauge('store_bytes', 'What layers are and take', 'kind');
    this.#quota = this.#gauge('quota_bytes', 'Bytes that the store may take at most');
    this.#files = this.#gauge('files', 'Files of layers that were taken apart', 'kind');
  }

  set({ layers: stats, quota }: StoreUsage): void {
    const { total, whole, recipeOnly, pending, notExact, reasons } = stats.layers;
    const states = { total, whole, pending, recipe: recipeOnly, 'not-exact': notExact };
    for (const [state, count] of Object.entries(states)) this.#layers.set({ state }, count);
    // A reason that no layer has any more is gone.
    this.#reasons.reset();
    for (const [reason, count] of Object.entries(reasons)) this.#reasons.set({ reason }, count);
    this.#hotLayers.set(stats.hot.layers);
    this.#hotBytes.set(stats.hot.bytes);
    for (const [kind, bytes] of Object.entries(stats.bytes)) this.#bytes.set({ kind }, bytes);
    for (const [kind, count] of Object.entries(stats.files)) this.#files.set({ kind }, count);
    if (quota !== undefined) this.#quota.set(quota);
  }

  #gauge(name: string, help: string, ...labelNames: string[]): Gauge<string> {
    return new Gauge({ name: `mica_${name}`, help, labelNames, registers: [this.#registry] });
  }
}
