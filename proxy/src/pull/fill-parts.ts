// What a fill needs around it.

import type { Log } from '../log.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { Space } from '../store/space.ts';
import type { Observer } from './observer.ts';

export interface FillParts {
  readonly store: BlobStore;
  readonly space: Space;
  readonly runtime: Pick<Runtime, 'clock' | 'hashing'>;
  readonly observer: Observer;
  readonly log: Log;
}
