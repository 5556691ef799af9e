// Numbers, shares and times for people to read.

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const COUNT = new Intl.NumberFormat('en');
const SHARE = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 });

/** `12,345` */
export function formatCount(count: number): string {
  return COUNT.format(count);
}

/** `33.3%`; nothing when it is a share of nothing. */
export function formatShare(part: number, whole: number): string {
  return whole > 0 ? SHARE.format(part / whole) : '';
}

/** `12 ms`, `1.5 s`, `3 min`, `5 h`, `12 d`: two units would not help a glance. */
export function formatDuration(durationMs: number): string {
  const round = (unitMs: number) => Math.floor(durationMs / unitMs);
  if (durationMs < SECOND_MS) return `${Math.round(durationMs)} ms`;
  if (durationMs < 10 * SECOND_MS) return `${(durationMs / SECOND_MS).toFixed(1)} s`;
  if (durationMs < 2 * MINUTE_MS) return `${round(SECOND_MS)} s`;
  if (durationMs < 2 * HOUR_MS) return `${round(MINUTE_MS)} min`;
  if (durationMs < 2 * DAY_MS) return `${round(HOUR_MS)} h`;
  return `${round(DAY_MS)} d`;
}

/** A moment within a span: the time of day, with the date where the span has several days. */
export function formatMoment(atMs: number, spanMs: number): string {
  const at = new Date(atMs);
  if (spanMs <= 5 * MINUTE_MS) return at.toLocaleTimeString();
  if (spanMs <= DAY_MS) return at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return at.toLocaleDateString();
}

/** A digest is known by its first letters: `sha256:0123456789ab`. */
export function shortenDigest(digest: string): string {
  return digest.replace(/^([a-z0-9]+:[0-9a-f]{12})[0-9a-f]+$/, '$1');
}
