// A blob: the stored one when it is visible, else a share in the fill that fetches it.

import { LRUCache } from 'lru-cache';
import type { Visibility } from '../access/visibility.ts';
import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { BlobSource, BlobStore } from '../store/blob-store.ts';
import { HELD_BACK_TAIL } from '../store/held-back-tail.ts';
import type { Index, MembershipRecord } from '../store/index.ts';
import { MemorySource } from '../store/memory-source.ts';
import type { Fills } from './fills.ts';
import type { BlobAnswer, CacheStatus } from './mirror.ts';
import { noteIfPossible } from './note-if-possible.ts';
import type { Question } from './question.ts';

/** Contradictions that are remembered; there are none unless somebody makes them. */
const MAX_PROVEN_SIZES = 1000;

export interface PullBlobParts {
  readonly store: BlobStore;
  readonly index: Index;
  readonly visibility: Visibility;
  readonly fills: Fills;
  readonly clock: Clock;
  readonly log: Log;
}

export class PullBlob {
  readonly #parts: PullBlobParts;
  /** Sizes that contradict a manifest and were found right, so that a lie costs one check. */
  readonly #provenSizes: LRUCache<Digest, number> = new LRUCache({ max: MAX_PROVEN_SIZES });

  constructor(parts: PullBlobParts) {
    this.#parts = parts;
  }

  async pull(question: Question, digest: Digest): Promise<BlobAnswer> {
    const { index, clock } = this.#parts;
    const membership = await this.#readVisible(question, digest);
    const isAllowed = membership !== undefined || (await this.#askIfHeld(question, digest));
    const stored = isAllowed ? await this.#openStored(digest, membership?.size) : undefined;
    const source = stored ?? (await this.#fill(question, digest, membership?.size, isAllowed));
    index.touch(digest, clock.now());
    return { source, cache: stored === undefined ? 'miss' : 'hit' };
  }

  /** The blob's size, without fetching it. */
  async stat(
    question: Question,
    digest: Digest,
  ): Promise<{ readonly size: number; readonly cache: CacheStatus }> {
    const { store, fills } = this.#parts;
    const membership = await this.#readVisible(question, digest);
    if (membership !== undefined) {
      const stored = await store.stat(digest);
      if (stored !== undefined) return { size: stored, cache: 'hit' };
      const filling = await fills.get(digest)?.ready;
      if (filling !== undefined) return { size: filling, cache: 'miss' };
    }
    const size = (await this.#ask(question, digest)) ?? (await store.stat(digest));
    if (size !== undefined) return { size, cache: 'miss' };
    // The upstream has it and does not say its size: only the bytes can tell.
    const source = await this.#fill(question, digest, undefined, true);
    source.close();
    return { size: source.size, cache: 'miss' };
  }

  async #readVisible(question: Question, digest: Digest): Promise<MembershipRecord | undefined> {
    const { index, visibility } = this.#parts;
    const { key, repository, credential } = question;
    const membership = await index.getMembership(key, digest);
    if (membership === undefined) return undefined;
    const isVisible = await visibility.isVisible(repository, membership.shared, credential);
    return isVisible ? membership : undefined;
  }

  /** Asks the upstream about bytes that are here already; false when there are none yet. */
  async #askIfHeld(question: Question, digest: Digest): Promise<boolean> {
    const { store, fills } = this.#parts;
    const isHeld = fills.get(digest) !== undefined || (await store.stat(digest)) !== undefined;
    if (isHeld) await this.#ask(question, digest);
    return isHeld;
  }

  /** The upstream's word now, by HEAD: rejects unless it lets this client have the blob. */
  async #ask(question: Question, digest: Digest): Promise<number | undefined> {
    const { repository, upstream, credential } = question;
    const size = await upstream.headBlob(repository.name, digest, { credential });
    await this.#remember(question, digest, size);
    return size;
  }

  async #remember(question: Question, digest: Digest, size: number | undefined): Promise<void> {
    const { index, visibility, log } = this.#parts;
    const { key, repository, credential } = question;
    const shared = credential === undefined;
    await noteIfPossible(log, { repository: key, digest }, async () => {
      await index.putMembership(key, digest, size === undefined ? { shared } : { size, shared });
      await visibility.grant(repository, credential);
    });
  }

  async #openStored(digest: Digest, size: number | undefined): Promise<BlobSource | undefined> {
    const { store } = this.#parts;
    const source = await store.open(digest);
    if (source === undefined) return undefined;
    if (source.size > HELD_BACK_TAIL) return this.#proveSize(digest, source, size);
    // All of a small blob would be held back: checked before the answer begins, damage still heals.
    source.close();
    const bytes = await store.read(digest);
    return bytes === undefined ? undefined : new MemorySource(bytes);
  }

  /** A size other than the manifest's is the disk's damage or the manifest's lie: the digest decides. */
  async #proveSize(
    digest: Digest,
    source: BlobSource,
    expected: number | undefined,
  ): Promise<BlobSource | undefined> {
    const { store } = this.#parts;
    const isProven = this.#provenSizes.get(digest) === source.size;
    if (expected === undefined || expected === source.size || isProven) return source;
    source.close();
    if ((await store.verify(digest)) === 'damaged') await store.quarantine(digest);
    else this.#provenSizes.set(digest, source.size);
    return store.open(digest);
  }

  async #fill(
    question: Question,
    digest: Digest,
    expected: number | undefined,
    isAllowed: boolean,
  ): Promise<BlobSource> {
    const { repository, upstream, credential } = question;
    const origin = { upstream, repository: repository.name, credential };
    const { fill, source: opening } = this.#parts.fills.open(digest, origin, expected);
    const source = await opening;
    if (isAllowed) return source;
    try {
      // Another's fetch says nothing of what this client may have.
      if (fill.wasAnsweredFor(origin)) await this.#remember(question, digest, source.size);
      else await this.#ask(question, digest);
      return source;
    } catch (error) {
      source.close();
      throw error;
    }
  }
}
