// What the two load generators have in common: what they are asked, and what they answer.

export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly accept: string;
  /** Size of the right body, bytes. */
  readonly size: number;
  /** The right body itself, where each answer is compared with it. */
  readonly body?: string;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  /** Of bodies. */
  readonly bytesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers that were complete and right. */
  readonly right: number;
  /** Answers with another status, length or body, and connections that broke. */
  readonly wrong: number;
}
