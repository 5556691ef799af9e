// How many pulls a registry still allows, and until when it allows none.
// Source: https://docs.docker.com/docker-hub/usage/pulls/#view-pull-rate-and-limit

import { LRUCache } from 'lru-cache';
import type { Clock } from '../runtime/runtime.ts';
import type { UpstreamStatus } from './upstream.ts';

export type RateLimitStatus = NonNullable<UpstreamStatus['rateLimit']>;

/** Longest time that requests are held back after one 429, in seconds: limits are also lifted early. */
const MAX_HOLD_SECONDS = 3600;
/** Credentials whose limits are remembered at a time. */
const MAX_HELD = 1000;

const SHAPE = /^\s*(\d{1,12})(?:\s*;\s*w=(\d{1,12}))?/;

/** Reads `ratelimit-limit: 100;w=21600` and `ratelimit-remaining`; undefined when neither is there. */
export function parseRateLimit(
  limitHeader: string | undefined,
  remainingHeader: string | undefined,
): RateLimitStatus | undefined {
  const limit = SHAPE.exec(limitHeader ?? '');
  const remaining = SHAPE.exec(remainingHeader ?? '');
  if (limit === null && remaining === null) return undefined;
  const windowSeconds = limit?.[2] ?? remaining?.[2];
  return {
    ...(limit === null ? {} : { limit: Number(limit[1]) }),
    ...(remaining === null ? {} : { remaining: Number(remaining[1]) }),
    ...(windowSeconds === undefined ? {} : { windowSeconds: Number(windowSeconds) }),
  };
}

/** Remembers what the registry said, for each credential: limits belong to accounts. */
export class RateLimit {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #heldUntilMs = new LRUCache<string, number>({ max: MAX_HELD });
  #status: RateLimitStatus | undefined;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** The last limit seen. */
  get status(): RateLimitStatus | undefined {
    return this.#status;
  }

  note(status: RateLimitStatus | undefined): void {
    if (status !== undefined) this.#status = status;
  }

  /** Notes a 429. */
  hold(fingerprint: string, retryAfterSeconds: number): void {
    const durationMs = Math.min(MAX_HOLD_SECONDS, retryAfterSeconds) * 1000;
    this.#heldUntilMs.set(fingerprint, this.#clock.now() + durationMs);
  }

  /** Seconds until requests with this credential make sense again; 0 when they do. */
  heldSeconds(fingerprint: string): number {
    const untilMs = this.#heldUntilMs.get(fingerprint);
    if (untilMs === undefined) return 0;
    return Math.max(0, Math.ceil((untilMs - this.#clock.now()) / 1000));
  }
}
