// Which failures are worth another try at the same address, and how long to wait before it.

import type { UpstreamError } from './upstream.ts';

/** Tries after the first one, at one URL. */
export const MAX_RETRIES: number = 2;

/**
 * How long one request may take up to its first byte, all tries and URLs together:
 * containerd skips a mirror without a header after 30 s.
 * https://github.com/containerd/containerd/blob/v2.1.0/core/remotes/docker/config/hosts.go
 */
export const TOTAL_BUDGET_MS: number = 20_000;

/** Longest Retry-After that is waited for here; a client is told of longer ones. */
const MAX_WAIT_MS = 5000;

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 2000;

const RETRIED_STATUSES: ReadonlySet<number> = new Set([500, 502, 503, 504]);

/**
 * How long to wait before the next try at the same URL, counted from 0; undefined when there is none.
 * Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function retryDelayMs(
  error: UpstreamError,
  retry: number,
  random: () => number,
): number | undefined {
  if (retry >= MAX_RETRIES || !isRetryable(error)) return undefined;
  const backoffMs = random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** retry);
  const askedMs = (error.retryAfterSeconds ?? 0) * 1000;
  if (askedMs > MAX_WAIT_MS) return undefined;
  return askedMs + backoffMs;
}

function isRetryable(error: UpstreamError): boolean {
  if (error.kind === 'transport') return true;
  if (error.kind === 'rate-limited') return error.retryAfterSeconds !== undefined;
  return (
    error.kind === 'unavailable' && error.status !== undefined && RETRIED_STATUSES.has(error.status)
  );
}

/** Whether another URL of the upstream may do better. */
export function isWorthAnotherUrl(error: UpstreamError): boolean {
  return (
    error.kind === 'transport' || error.kind === 'unavailable' || error.kind === 'rate-limited'
  );
}

/** Longest Retry-After that is believed, in seconds: a day. */
const MAX_RETRY_AFTER_SECONDS = 86_400;

/** Seconds of a Retry-After header, a number or a date. https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  const seconds = /^\d{1,10}$/.test(text)
    ? Number(text)
    : Math.ceil((Date.parse(text) - nowMs) / 1000);
  if (!Number.isFinite(seconds)) return undefined;
  return Math.min(MAX_RETRY_AFTER_SECONDS, Math.max(0, seconds));
}
