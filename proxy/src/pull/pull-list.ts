// Tag lists and referrers: pages of the upstream's, kept in memory for as long as a tag is fresh, and
// when the upstream gives out, for as long as they may be stale.

import { LRUCache } from 'lru-cache';
import type { Config } from '../config/config.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { ReceivedList } from '../upstream/upstream.ts';
import type { ListAnswer } from './mirror.ts';
import { type Question, questionKey } from './question.ts';
import { SingleFlight } from './single-flight.ts';
import { consequenceOf } from './stale-if-error.ts';

/** Bytes of lists kept in memory; a page of 1,000 tags takes some 20 KB. */
const MAX_MEMORY_SIZE = 16 * 1024 * 1024;

interface KeptList {
  readonly list: ReceivedList;
  readonly checkedMs: number;
}

export class PullList {
  readonly #clock: Clock;
  readonly #tags: Config['tags'];
  readonly #flights: SingleFlight<ListAnswer> = new SingleFlight();
  readonly #kept: LRUCache<string, KeptList> = new LRUCache({
    maxSize: MAX_MEMORY_SIZE,
    sizeCalculation: ({ list }, key) => list.bytes.length + key.length,
  });

  constructor(clock: Clock, tags: Config['tags']) {
    this.#clock = clock;
    this.#tags = tags;
  }

  /** `parts` tell the list from others of the repository; `fetch` asks the upstream. */
  pull(
    question: Question,
    parts: readonly string[],
    fetch: () => Promise<ReceivedList>,
  ): Promise<ListAnswer> {
    const key = questionKey(question, ...parts);
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#ageMs(kept) < this.#tags.ttlMs) {
      return Promise.resolve({ ...kept.list, cache: 'hit' });
    }
    const isShared = question.credential === undefined;
    return this.#flights.run(key, () => this.#refresh(key, isShared ? kept : undefined, fetch));
  }

  async #refresh(
    key: string,
    kept: KeptList | undefined,
    fetch: () => Promise<ReceivedList>,
  ): Promise<ListAnswer> {
    try {
      const list = await fetch();
      this.#kept.set(key, { list, checkedMs: this.#clock.now() });
      return { ...list, cache: 'miss' };
    } catch (error) {
      const consequence = consequenceOf(error);
      if (consequence !== 'stale') this.#kept.delete(key);
      else if (kept !== undefined && this.#mayBeStale(kept))
        return { ...kept.list, cache: 'stale' };
      throw error;
    }
  }

  #mayBeStale(kept: KeptList): boolean {
    return this.#ageMs(kept) <= this.#tags.ttlMs + this.#tags.staleIfErrorMs;
  }

  #ageMs(kept: KeptList): number {
    return this.#clock.now() - kept.checkedMs;
  }
}
