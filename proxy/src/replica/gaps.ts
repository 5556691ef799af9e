// How long after an image's manifest a client asks for its layers, by their position: what a repository's
// pulls show, and a guess until there was one.

import type { Clock } from '../runtime/runtime.ts';
import { countAt } from './decay.ts';
import type { Dated, HistoryTable } from './history-table.ts';

/** Repositories whose gaps are remembered: 1 KiB each at most. */
export const MAX_REPOSITORIES = 10_000;

/** Positions that are told apart; images with more layers are rare (the limit of overlayfs is 128 to 500). */
const MAX_POSITIONS = 64;

/** Layers that clients fetch side by side: dockerd's and containerd's default. */
const SIDE_BY_SIDE = 3;

/** The guess: between the manifest and the first layers is the config, and then come groups, ms. */
const FIRST_GAP_MS = 200;
const NEXT_GAP_MS = 500;

/** Pulls that a new one is weighed against at most, so that gaps follow what changes. */
const MAX_WEIGHT = 10;

export interface GapRecord extends Dated {
  /** By position; 0 where none was seen. */
  readonly gapsMs: readonly number[];
  readonly counts: readonly number[];
}

export interface GapsOptions {
  readonly table: HistoryTable<GapRecord>;
  readonly clock: Pick<Clock, 'now'>;
}

export class Gaps {
  readonly #options: GapsOptions;

  constructor(options: GapsOptions) {
    this.#options = options;
  }

  expectedMs(repository: string, position: number): number {
    const known = this.#options.table.get(repository);
    const slot = slotOf(position);
    const isKnown = (known?.counts[slot] ?? 0) > 0;
    return isKnown ? (known?.gapsMs[slot] ?? 0) : guessMs(position);
  }

  /** A client asked for a layer so long after its manifest. */
  note(repository: string, position: number, gapMs: number): void {
    const { table, clock } = this.#options;
    const nowMs = clock.now();
    const known = table.get(repository);
    const slot = slotOf(position);
    const gapsMs = padded(known?.gapsMs, slot);
    const atMs = known?.atMs ?? nowMs;
    const counts = padded(known?.counts, slot).map((count) => countAt({ count, atMs }, nowMs));
    const before = Math.min(MAX_WEIGHT, counts[slot] ?? 0);
    gapsMs[slot] = ((gapsMs[slot] ?? 0) * before + gapMs) / (before + 1);
    counts[slot] = before + 1;
    table.set(repository, { gapsMs, counts, atMs: nowMs });
  }
}

function slotOf(position: number): number {
  return Math.min(position, MAX_POSITIONS - 1);
}

function guessMs(position: number): number {
  return FIRST_GAP_MS + Math.floor(position / SIDE_BY_SIDE) * NEXT_GAP_MS;
}

function padded(numbers: readonly number[] = [], slot: number): number[] {
  return [...numbers, ...new Array<number>(Math.max(0, slot + 1 - numbers.length)).fill(0)];
}
