// biome-ignore-all lint/suspicious/useAwait: the contracts are asynchronous, these answers are at hand.

// An index in memory: the plain form of the contract, for tests of the parts that use one.

import type { Digest } from '../../src/oci/digest.ts';
import { isTag, type Tag } from '../../src/oci/reference.ts';
import type {
  Index,
  ManifestEntry,
  ManifestRecord,
  MembershipRecord,
  TagEntry,
  TagRecord,
} from '../../src/store/index.ts';

/** Two-part keys: no name, tag, digest or credential contains a space. */
function key(first: string, second: string): string {
  return `${first} ${second}`;
}

function split(joined: string): [string, string] {
  const [first = '', second = ''] = joined.split(' ');
  return [first, second];
}

export class MemoryIndex implements Index {
  readonly #tags = new Map<string, TagRecord>();
  readonly #manifests = new Map<Digest, ManifestRecord>();
  readonly #memberships = new Map<string, MembershipRecord>();
  readonly #grants = new Map<string, number>();
  readonly #lastUses = new Map<Digest, number>();

  async getTag(repository: string, tag: Tag): Promise<TagRecord | undefined> {
    return this.#tags.get(key(repository, tag));
  }

  async putTag(repository: string, tag: Tag, record: TagRecord): Promise<void> {
    this.#tags.set(key(repository, tag), record);
  }

  async removeTag(repository: string, tag: Tag): Promise<boolean> {
    return this.#tags.delete(key(repository, tag));
  }

  async *listTags(repository?: string): AsyncGenerator<TagEntry> {
    for (const [joined, record] of [...this.#tags].sort(byKey)) {
      const [owner, tag] = split(joined);
      if (isTag(tag) && (repository === undefined || owner === repository)) {
        yield { repository: owner, tag, ...record };
      }
    }
  }

  async getManifest(digest: Digest): Promise<ManifestRecord | undefined> {
    return this.#manifests.get(digest);
  }

  async putManifest(
    repository: string,
    digest: Digest,
    record: ManifestRecord,
    shared: boolean,
  ): Promise<void> {
    this.#manifests.set(digest, record);
    this.#join(repository, digest, { size: record.size, shared });
    for (const child of [...record.manifests, ...record.blobs]) {
      this.#join(repository, child.digest, { size: child.size, shared });
    }
  }

  async *listManifests(): AsyncGenerator<ManifestEntry> {
    for (const [digest, record] of [...this.#manifests]) yield { digest, ...record };
  }

  async removeManifest(digest: Digest): Promise<boolean> {
    const wasThere = this.#manifests.delete(digest);
    for (const [joined, record] of this.#tags) {
      if (record.digest === digest) this.#tags.delete(joined);
    }
    this.#leave(digest);
    return wasThere;
  }

  async getMembership(repository: string, digest: Digest): Promise<MembershipRecord | undefined> {
    return this.#memberships.get(key(repository, digest));
  }

  async putMembership(repository: string, digest: Digest, record: MembershipRecord): Promise<void> {
    this.#join(repository, digest, record);
  }

  async removeMembership(repository: string, digest: Digest): Promise<boolean> {
    return this.#memberships.delete(key(repository, digest));
  }

  async *listRepositories(): AsyncGenerator<string> {
    const names = [...this.#tags.keys(), ...this.#memberships.keys()].map((k) => split(k)[0]);
    yield* new Set(names.sort((one, other) => (one < other ? -1 : 1)));
  }

  async findRepository(digest: Digest): Promise<string | undefined> {
    const members = [...this.#memberships.keys()].filter((k) => split(k)[1] === digest);
    return members.map((k) => split(k)[0]).sort((one, other) => (one < other ? -1 : 1))[0];
  }

  async getGrant(repository: string, credential: string): Promise<number> {
    return this.#grants.get(key(repository, credential)) ?? 0;
  }

  async putGrant(repository: string, credential: string, untilMs: number): Promise<void> {
    this.#grants.set(key(repository, credential), untilMs);
  }

  async removeGrant(repository: string, credential: string): Promise<void> {
    this.#grants.delete(key(repository, credential));
  }

  touch(digest: Digest, nowMs: number): void {
    this.#lastUses.set(digest, Math.max(nowMs, this.#lastUses.get(digest) ?? 0));
  }

  async getLastUse(digest: Digest): Promise<number> {
    return this.#lastUses.get(digest) ?? 0;
  }

  async forget(digest: Digest): Promise<void> {
    this.#lastUses.delete(digest);
    this.#leave(digest);
  }

  async removeExpired(nowMs: number): Promise<number> {
    const ended = [...this.#grants].filter(([, untilMs]) => untilMs < nowMs);
    for (const [joined] of ended) this.#grants.delete(joined);
    return ended.length;
  }

  async flush(): Promise<void> {
    // Touches are written at once.
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  #join(repository: string, digest: Digest, record: MembershipRecord): void {
    const known = this.#memberships.get(key(repository, digest));
    const size = record.size ?? known?.size;
    const shared = record.shared || known?.shared === true;
    this.#memberships.set(
      key(repository, digest),
      size === undefined ? { shared } : { size, shared },
    );
  }

  #leave(digest: Digest): void {
    for (const joined of this.#memberships.keys()) {
      if (split(joined)[1] === digest) this.#memberships.delete(joined);
    }
  }
}

function byKey(one: readonly [string, unknown], other: readonly [string, unknown]): number {
  return one[0] < other[0] ? -1 : 1;
}
