// Bounds in time on work that is waited for.

import type { Clock } from '../runtime/runtime.ts';

/** A budget that ran out. */
export class BudgetError extends Error {
  override readonly name = 'BudgetError';
  readonly code = 'budget';

  constructor(budgetMs: number) {
    super(`not done within ${budgetMs} ms`);
  }
}

/**
 * Runs work whose signal is aborted when the time is over or the outer signal is aborted. Once the
 * work is done only the outer signal counts, for what the work left open.
 */
export async function withinBudget<Value>(
  clock: Clock,
  budgetMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const timeOver = new AbortController();
  const done = new AbortController();
  const signal = outer === undefined ? timeOver.signal : AbortSignal.any([outer, timeOver.signal]);
  clock.sleep(budgetMs, done.signal).then(
    () => timeOver.abort(new BudgetError(budgetMs)),
    () => {
      // The work was done first.
    },
  );
  try {
    return await work(signal);
  } finally {
    done.abort();
  }
}

/** Waits for what others wait for too: an abort ends this wait alone. */
export function unlessAborted<Value>(signal: AbortSignal, promise: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
