// Waiting until nobody waits for anything else: background work never runs beside fills or restores.

import type { Clock } from '../runtime/runtime.ts';

/** How often it is looked, ms. */
const POLL_MS = 250;

/** How long work that was begun keeps its files open meanwhile, ms. */
const MAX_WAIT_MS = 30_000;

/** The mirror has been busy for long; the work is for another time. */
export class BusyMirrorError extends Error {
  override readonly name = 'BusyMirrorError';
  readonly code = 'MIRROR_BUSY';

  constructor() {
    super(`the mirror was busy for ${MAX_WAIT_MS / 1000} s`);
  }
}

export interface QuietOptions {
  readonly clock: Clock;
  /** Whether fills run or clients wait for layers that are made again. */
  isBusy(): boolean;
}

/** Rejects with BusyMirrorError, and with the signal's reason. */
export async function untilQuiet(
  { clock, isBusy }: QuietOptions,
  signal: AbortSignal,
): Promise<void> {
  const untilMs = clock.now() + MAX_WAIT_MS;
  while (isBusy()) {
    if (clock.now() >= untilMs) throw new BusyMirrorError();
    await clock.sleep(POLL_MS, signal);
  }
  signal.throwIfAborted();
}
