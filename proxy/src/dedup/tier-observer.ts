// What is told of layers that are taken apart and made again; the metrics listen.

import type { IngestOutcome } from './ingest-layer.ts';

export interface TierObserver {
  /** A whole copy, or what a layer is made of, was found damaged. */
  damaged(): void;
  ingested(outcome: IngestOutcome['kind']): void;
  /** A reader of a layer that is only a recipe has ended: bytes it got, and how long it waited for them. */
  restored(bytes: number, durationMs: number): void;
}
