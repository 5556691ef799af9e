// All running fills: one per digest, however many wait for it and by whatever name they know it.

import type { Digest } from '../oci/digest.ts';
import type { BlobSource } from '../store/blob-store.ts';
import { Fill, type RunningFill } from './fill.ts';
import type { FillParts } from './fill-parts.ts';
import type { Origin } from './origin.ts';

export interface OpenedFill {
  readonly fill: Fill;
  readonly source: Promise<BlobSource>;
}

export class Fills {
  readonly #parts: FillParts;
  readonly #fills: Map<Digest, { readonly fill: Fill; readonly ended: Promise<void> }> = new Map();
  #isClosed = false;

  constructor(parts: FillParts) {
    this.#parts = parts;
  }

  get(digest: Digest): Fill | undefined {
    return this.#fills.get(digest)?.fill;
  }

  /** All that run, the longest running first. */
  list(): RunningFill[] {
    return [...this.#fills.values()].map(({ fill }) => fill.progress);
  }

  /** Joins the digest's fill or begins it. `expected` is the size that a descriptor promised. */
  open(digest: Digest, origin: Origin, expected: number | undefined): OpenedFill {
    const running = this.get(digest);
    running?.join(origin);
    const fill = running ?? this.#begin(digest, origin, expected);
    return { fill, source: fill.open() };
  }

  /** Ends all transfers; what came is kept for the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const running = [...this.#fills.values()];
    for (const { fill } of running) fill.abort();
    await Promise.all(running.map(({ ended }) => ended));
  }

  #begin(digest: Digest, origin: Origin, expected: number | undefined): Fill {
    const fill = new Fill(this.#parts, digest, origin, expected);
    if (this.#isClosed) fill.abort();
    const ended = fill.run().finally(() => this.#fills.delete(digest));
    this.#fills.set(digest, { fill, ended });
    return fill;
  }
}
