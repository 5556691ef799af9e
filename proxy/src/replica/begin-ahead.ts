// Makes the beginning of a layer before its client asks for it, and keeps it until it has.

import type { BegunRun } from '../dedup/begun-run.ts';
import type { Clock } from '../runtime/runtime.ts';
import { BEGUN_SIZE } from './choose-ahead.ts';

/** How long it is kept, ms: it holds memory that other layers could have. */
export const BEGUN_MS = 10_000;

export interface BeginAheadOptions {
  readonly run: Pick<BegunRun, 'length' | 'makeMore' | 'close'>;
  readonly clock: Clock;
  /** Mica is stopping: nothing is kept any more. */
  readonly ending: AbortSignal;
  /** Resolves when nobody waits for other work; rejects when the layer is not wanted any more. */
  pause(signal: AbortSignal): Promise<void>;
}

/** Whether something was made. Rejects with what pause() rejects with: what was made by then is kept too. */
export async function beginAhead(
  { run, clock, ending, pause }: BeginAheadOptions,
  signal: AbortSignal,
): Promise<boolean> {
  // The client that asks meanwhile joins the run, so that it must not end with this work.
  clock.sleep(BEGUN_MS, ending).then(
    () => run.close(),
    () => run.close(),
  );
  while (run.length < BEGUN_SIZE && (await run.makeMore())) await pause(signal);
  return run.length > 0;
}
