// Pulls that clients have begun: which image each is about, so that gaps can be learned.

import { LRUCache } from 'lru-cache';
import type { Digest } from '../oci/digest.ts';

/** Pulls that are followed at the same time, some 10 KiB each at most. */
const MAX_PULLS = 1000;

/** A layer that is asked for so long after its manifest belongs to no pull any more, ms. */
const MAX_GAP_MS = 10 * 60 * 1000;

interface OpenPull {
  readonly startMs: number;
  /** Layers that were not asked for yet, and their positions. */
  readonly positions: Map<Digest, number>;
}

export class OpenPulls {
  readonly #pulls: LRUCache<string, OpenPull> = new LRUCache({ max: MAX_PULLS });

  /** A client has got a manifest with these layers. One that gets it again has begun already. */
  begin(repository: string, client: string, layers: readonly Digest[], nowMs: number): void {
    const key = `${client}\n${repository}`;
    const known = this.#pulls.get(key);
    const isSame = known !== undefined && layers.every((digest) => known.positions.has(digest));
    if (isSame && nowMs - known.startMs < MAX_GAP_MS) return;
    const positions = new Map(layers.map((digest, position) => [digest, position]));
    this.#pulls.set(key, { startMs: nowMs, positions });
  }

  /** The position and gap of a layer that a client asks for, the first time that it does. */
  ask(
    repository: string,
    client: string,
    digest: Digest,
    nowMs: number,
  ): { readonly position: number; readonly gapMs: number } | undefined {
    const pull = this.#pulls.get(`${client}\n${repository}`);
    const position = pull?.positions.get(digest);
    if (pull === undefined || position === undefined) return undefined;
    pull.positions.delete(digest);
    const gapMs = nowMs - pull.startMs;
    return gapMs >= 0 && gapMs <= MAX_GAP_MS ? { position, gapMs } : undefined;
  }
}
