// What Mica knows about the bytes it keeps: tags, manifests, membership, access and last use.
//
// Every write is durable when its promise resolves, except touches, which may be lost on a crash.
// Data goes first: an entry is written only after the blob it speaks of was committed.

import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import type { Tag } from '../oci/reference.ts';

export interface TagRecord {
  readonly digest: Digest;
  /** When the upstream last said so, ms since the epoch. */
  readonly checkedMs: number;
  /** Whether the upstream answered a request made with a client's own credentials. */
  readonly withCredentials: boolean;
}

export interface ManifestRecord {
  readonly mediaType: string;
  readonly size: number;
  readonly storedMs: number;
  readonly manifests: readonly Descriptor[];
  readonly blobs: readonly Descriptor[];
}

/** Why a digest may be served in a repository. */
export interface MembershipRecord {
  readonly size?: number;
  /** Whether anybody may see it: it was fetched without a client's own credentials. */
  readonly shared: boolean;
}

export interface TagEntry extends TagRecord {
  readonly repository: string;
  readonly tag: Tag;
}

export interface ManifestEntry extends ManifestRecord {
  readonly digest: Digest;
}

/** Repositories are keys as made by repositoryKey(), such as `docker.io/library/debian`. */
export interface Index {
  getTag(repository: string, tag: Tag): Promise<TagRecord | undefined>;
  putTag(repository: string, tag: Tag, record: TagRecord): Promise<void>;
  removeTag(repository: string, tag: Tag): Promise<boolean>;
  /** All tags, of one repository or of all, in order of repository and tag. */
  listTags(repository?: string): AsyncIterable<TagEntry>;

  getManifest(digest: Digest): Promise<ManifestRecord | undefined>;
  /** Writes a manifest, its membership in the repository and that of all it names, in one transaction. */
  putManifest(
    repository: string,
    digest: Digest,
    record: ManifestRecord,
    shared: boolean,
  ): Promise<void>;
  listManifests(): AsyncIterable<ManifestEntry>;
  /** Removes a manifest, the tags that point to it and its membership everywhere. */
  removeManifest(digest: Digest): Promise<boolean>;

  getMembership(repository: string, digest: Digest): Promise<MembershipRecord | undefined>;
  /** Adds membership; one that is shared stays shared. */
  putMembership(repository: string, digest: Digest, record: MembershipRecord): Promise<void>;
  removeMembership(repository: string, digest: Digest): Promise<boolean>;
  listRepositories(): AsyncIterable<string>;
  /** The first repository that content is a member of. */
  findRepository(digest: Digest): Promise<string | undefined>;

  /** Until when the upstream's word holds that a credential may pull from a repository; 0 when it never gave it. */
  getGrant(repository: string, credential: string): Promise<number>;
  putGrant(repository: string, credential: string, untilMs: number): Promise<void>;
  removeGrant(repository: string, credential: string): Promise<void>;

  /** Notes that content was used; batched. */
  touch(digest: Digest, nowMs: number): void;
  /** When content was last used, 0 when never. */
  getLastUse(digest: Digest): Promise<number>;
  /** Forgets last use and membership of a blob that was removed. */
  forget(digest: Digest): Promise<void>;
  /** Removes grants that ended before `nowMs`; gives how many. */
  removeExpired(nowMs: number): Promise<number>;

  /** Writes pending touches. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
