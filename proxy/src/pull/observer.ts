// What the mirror tells about its work; the metrics listen.

import type { CacheStatus } from './mirror.ts';

export type FillOutcome = 'stored' | 'failed' | 'passed-through';

export interface Observer {
  answered(kind: 'manifest' | 'blob' | 'tags' | 'referrers', cache: CacheStatus): void;
  fillStarted(): void;
  /** A broken upstream body is continued by Range, or an interrupted fill after a restart. */
  fillResumed(): void;
  fillEnded(outcome: FillOutcome, bytes: number, durationMs: number): void;
  /** A stored blob was found damaged and quarantined. */
  damaged(): void;
  evicted(images: number, bytes: number): void;
}
