// The system's clock and timers.

import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../../runtime/runtime.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (durationMs, signal) => {
    try {
      await wait(durationMs, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};
