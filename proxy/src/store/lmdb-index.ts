// The index in LMDB. Several processes may use the same folder at the same time.

import type { Database } from 'lmdb';
import type { Log } from '../log.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { isTag, type Tag } from '../oci/reference.ts';
import type {
  Index,
  ManifestEntry,
  ManifestRecord,
  MembershipRecord,
  TagEntry,
  TagRecord,
} from './index.ts';
import { type LmdbEnvironment, pages } from './lmdb-environment.ts';

/** Delay between a touch and its writing, in ms: what a crash may lose of last use. */
const FLUSH_DELAY_MS = 5000;

/** Sorts after every digest and tag, as the second part of a key. */
const LAST = '\u{10ffff}';

type Pair = [string, string];
type Triple = [string, string, string];

/** The databases of one environment. Keys that are pairs sort by their first part, then the second. */
interface Tables {
  readonly tags: Database<TagRecord, Pair>;
  /** Digest, then repository and tag: which tags point to a manifest. */
  readonly tagsOf: Database<true, Triple>;
  readonly manifests: Database<ManifestRecord, string>;
  readonly memberships: Database<MembershipRecord, Pair>;
  /** Digest, then repository: where content is a member. */
  readonly repositoriesOf: Database<true, Pair>;
  readonly grants: Database<number, Pair>;
  readonly uses: Database<number, string>;
}

export interface LmdbIndexOptions {
  /** Stays the caller's, and has to be closed after the index. */
  readonly environment: LmdbEnvironment;
  readonly log?: Log | undefined;
}

export function openLmdbIndex({ environment, log }: LmdbIndexOptions): LmdbIndex {
  const tables: Tables = {
    tags: environment.openDatabase('tags'),
    tagsOf: environment.openDatabase('tags-of'),
    manifests: environment.openDatabase('manifests'),
    memberships: environment.openDatabase('memberships'),
    repositoriesOf: environment.openDatabase('repositories-of'),
    grants: environment.openDatabase('grants'),
    uses: environment.openDatabase('uses'),
  };
  return new LmdbIndex(environment, tables, log);
}

/** All keys with this first part; every key when there is none. */
function rangeOf(first: string | undefined): { start?: Pair; end?: Pair } {
  return first === undefined ? {} : { start: [first, ''], end: [first, LAST] };
}

/** The next first part of a key: one look-up, since it lies behind all keys of the one before. */
function firstAfter(database: Database<unknown, Pair>, first: string): string | undefined {
  const [key] = [...database.getKeys({ start: [first, LAST], limit: 1 })];
  return key?.[0];
}

function byText(one: string, other: string): number {
  return one < other ? -1 : 1;
}

export class LmdbIndex implements Index {
  readonly #environment: LmdbEnvironment;
  readonly #tables: Tables;
  readonly #log: Log | undefined;
  readonly #touches: Map<Digest, number> = new Map();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closing: Promise<void> | undefined;

  constructor(environment: LmdbEnvironment, tables: Tables, log: Log | undefined) {
    this.#environment = environment;
    this.#tables = tables;
    this.#log = log;
  }

  getTag(repository: string, tag: Tag): Promise<TagRecord | undefined> {
    return this.#environment.read(() => this.#tables.tags.get([repository, tag]));
  }

  async putTag(repository: string, tag: Tag, record: TagRecord): Promise<void> {
    const { digest, checkedMs, withCredentials } = record;
    await this.#environment.write(() => {
      this.#dropTag(repository, tag);
      this.#tables.tags.putSync([repository, tag], { digest, checkedMs, withCredentials });
      this.#tables.tagsOf.putSync([digest, repository, tag], true);
    });
  }

  removeTag(repository: string, tag: Tag): Promise<boolean> {
    return this.#environment.write(() => this.#dropTag(repository, tag));
  }

  async *listTags(repository?: string): AsyncGenerator<TagEntry> {
    for await (const { key, value } of pages(this.#tables.tags, rangeOf(repository))) {
      const [owner, tag] = key;
      if (isTag(tag)) yield { repository: owner, tag, ...value };
    }
  }

  getManifest(digest: Digest): Promise<ManifestRecord | undefined> {
    return this.#environment.read(() => this.#tables.manifests.get(digest));
  }

  async putManifest(
    repository: string,
    digest: Digest,
    record: ManifestRecord,
    shared: boolean,
  ): Promise<void> {
    await this.#environment.write(() => {
      this.#tables.manifests.putSync(digest, record);
      this.#addMembership(repository, digest, { size: record.size, shared });
      for (const child of [...record.manifests, ...record.blobs]) {
        this.#addMembership(repository, child.digest, { size: child.size, shared });
      }
    });
  }

  async *listManifests(): AsyncGenerator<ManifestEntry> {
    for await (const { key, value } of pages(this.#tables.manifests)) {
      if (isDigest(key)) yield { digest: key, ...value };
    }
  }

  removeManifest(digest: Digest): Promise<boolean> {
    return this.#environment.write(() => {
      const known = this.#tables.manifests.get(digest) !== undefined;
      this.#tables.manifests.removeSync(digest);
      const start: Triple = [digest, '', ''];
      const end: Triple = [digest, LAST, ''];
      for (const [, repository, tag] of [...this.#tables.tagsOf.getKeys({ start, end })]) {
        this.#dropTag(repository, tag);
      }
      this.#dropMemberships(digest);
      return known;
    });
  }

  getMembership(repository: string, digest: Digest): Promise<MembershipRecord | undefined> {
    return this.#environment.read(() => this.#tables.memberships.get([repository, digest]));
  }

  async putMembership(repository: string, digest: Digest, record: MembershipRecord): Promise<void> {
    await this.#environment.write(() => this.#addMembership(repository, digest, record));
  }

  removeMembership(repository: string, digest: Digest): Promise<boolean> {
    return this.#environment.write(() => {
      const known = this.#tables.memberships.get([repository, digest]) !== undefined;
      this.#tables.memberships.removeSync([repository, digest]);
      this.#tables.repositoriesOf.removeSync([digest, repository]);
      return known;
    });
  }

  async *listRepositories(): AsyncGenerator<string> {
    const { tags, memberships } = this.#tables;
    for (let after = ''; ; ) {
      const next = await this.#environment.read(() => [
        firstAfter(tags, after),
        firstAfter(memberships, after),
      ]);
      const found = next.filter((name) => name !== undefined).sort(byText)[0];
      if (found === undefined) return;
      after = found;
      yield found;
    }
  }

  findRepository(digest: Digest): Promise<string | undefined> {
    return this.#environment.read(() => {
      const range = { ...rangeOf(digest), limit: 1 };
      const [key] = [...this.#tables.repositoriesOf.getKeys(range)];
      return key?.[1];
    });
  }

  getGrant(repository: string, credential: string): Promise<number> {
    return this.#environment.read(() => this.#tables.grants.get([repository, credential]) ?? 0);
  }

  async putGrant(repository: string, credential: string, untilMs: number): Promise<void> {
    await this.#environment.write(() =>
      this.#tables.grants.putSync([repository, credential], untilMs),
    );
  }

  async removeGrant(repository: string, credential: string): Promise<void> {
    await this.#environment.write(() => this.#tables.grants.removeSync([repository, credential]));
  }

  touch(digest: Digest, nowMs: number): void {
    const known = this.#touches.get(digest) ?? 0;
    this.#touches.set(digest, Math.max(known, nowMs));
    if (this.#closing === undefined) {
      this.#timer ??= setTimeout(() => void this.#flushNow(), FLUSH_DELAY_MS);
    }
  }

  getLastUse(digest: Digest): Promise<number> {
    const pending = this.#touches.get(digest) ?? 0;
    return this.#environment.read(() => Math.max(pending, this.#tables.uses.get(digest) ?? 0));
  }

  async forget(digest: Digest): Promise<void> {
    this.#touches.delete(digest);
    await this.#environment.write(() => {
      this.#tables.uses.removeSync(digest);
      this.#dropMemberships(digest);
    });
  }

  async removeExpired(nowMs: number): Promise<number> {
    const expired: Pair[] = [];
    for await (const { key, value } of pages(this.#tables.grants)) {
      if (value < nowMs) expired.push(key);
    }
    if (expired.length === 0) return 0;
    return this.#environment.write(() => {
      // A grant may have been renewed since it was listed.
      const ended = expired.filter((key) => (this.#tables.grants.get(key) ?? nowMs) < nowMs);
      for (const key of ended) this.#tables.grants.removeSync(key);
      return ended.length;
    });
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const touches = this.#touches;
    if (touches.size === 0) return;
    await this.#environment.write(() => {
      for (const [digest, nowMs] of touches) {
        const known = this.#tables.uses.get(digest) ?? 0;
        if (nowMs > known) this.#tables.uses.putSync(digest, nowMs);
      }
    });
    for (const [digest, nowMs] of touches) {
      if (this.#touches.get(digest) === nowMs) this.#touches.delete(digest);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#flushNow();
    return this.#closing;
  }

  /** Writes touches; when that fails they wait for the next time. */
  async #flushNow(): Promise<void> {
    try {
      await this.flush();
    } catch (error) {
      this.#log?.warn({ error }, 'last use could not be written');
    }
  }

  #dropTag(repository: string, tag: string): boolean {
    const known = this.#tables.tags.get([repository, tag]);
    if (known === undefined) return false;
    this.#tables.tags.removeSync([repository, tag]);
    this.#tables.tagsOf.removeSync([known.digest, repository, tag]);
    return true;
  }

  #addMembership(repository: string, digest: Digest, record: MembershipRecord): void {
    const known = this.#tables.memberships.get([repository, digest]);
    const size = record.size ?? known?.size;
    const shared = record.shared || known?.shared === true;
    this.#tables.memberships.putSync(
      [repository, digest],
      size === undefined ? { shared } : { size, shared },
    );
    this.#tables.repositoriesOf.putSync([digest, repository], true);
  }

  #dropMemberships(digest: Digest): void {
    for (const key of [...this.#tables.repositoriesOf.getKeys(rangeOf(digest))]) {
      this.#tables.memberships.removeSync([key[1], digest]);
      this.#tables.repositoriesOf.removeSync(key);
    }
  }
}
