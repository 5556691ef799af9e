// The mirror's use cases over their parts.

import type { Viewer } from '../access/credential.ts';
import { Visibility } from '../access/visibility.ts';
import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import type { ManifestReference, Repository } from '../oci/reference.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { Index } from '../store/index.ts';
import type { Space } from '../store/space.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { RunningFill } from './fill.ts';
import { Fills } from './fills.ts';
import { listKnownTags } from './known-tags.ts';
import type { BlobAnswer, ListAnswer, ManifestAnswer, Mirror } from './mirror.ts';
import type { Observer } from './observer.ts';
import { PullBlob } from './pull-blob.ts';
import { PullList } from './pull-list.ts';
import { PullManifest } from './pull-manifest.ts';
import { PullTag } from './pull-tag.ts';
import { makeQuestion, type Question } from './question.ts';
import { consequenceOf } from './stale-if-error.ts';
import { StoredManifests } from './stored-manifests.ts';

export interface MirrorParts {
  readonly config: Pick<Config, 'tags' | 'access'>;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly store: BlobStore;
  readonly index: Index;
  readonly space: Space;
  readonly runtime: Pick<Runtime, 'clock' | 'hashing'>;
  readonly observer: Observer;
  readonly log: Log;
  /** A manifest was stored that names these. */
  onManifestStored?(blobs: readonly Descriptor[]): void;
}

export interface OpenedMirror extends Mirror {
  /** What is fetched now, the longest running first. */
  fills(): readonly RunningFill[];
  /** Ends running fills; what came is kept for the next start. */
  close(): Promise<void>;
}

export function openMirror(parts: MirrorParts): OpenedMirror {
  return new PullThroughMirror(parts);
}

class PullThroughMirror implements OpenedMirror {
  readonly #parts: MirrorParts;
  readonly #fills: Fills;
  readonly #pullManifest: PullManifest;
  readonly #pullTag: PullTag;
  readonly #pullBlob: PullBlob;
  readonly #pullList: PullList;

  constructor(parts: MirrorParts) {
    const { config, runtime } = parts;
    const { clock } = runtime;
    const grantTtlMs = config.access.grantTtlMs;
    const visibility = new Visibility({ index: parts.index, clock, grantTtlMs });
    const onStored = (blobs: readonly Descriptor[]) => parts.onManifestStored?.(blobs);
    const manifests = new StoredManifests({ ...parts, onStored });
    const shared = { ...parts, clock, visibility, manifests, tags: config.tags };
    this.#parts = parts;
    this.#fills = new Fills(parts);
    this.#pullManifest = new PullManifest(shared);
    this.#pullTag = new PullTag({ ...shared, pullManifest: this.#pullManifest });
    this.#pullBlob = new PullBlob({ ...shared, fills: this.#fills });
    this.#pullList = new PullList(clock, config.tags);
  }

  async pullManifest(
    repository: Repository,
    reference: ManifestReference,
    viewer: Viewer,
  ): Promise<ManifestAnswer> {
    const question = this.#question(repository, viewer);
    const answer =
      reference.kind === 'tag'
        ? await this.#pullTag.pull(question, reference.tag)
        : await this.#pullManifest.pull(question, reference.digest);
    this.#parts.observer.answered('manifest', answer.cache);
    return answer;
  }

  async pullBlob(repository: Repository, digest: Digest, viewer: Viewer): Promise<BlobAnswer> {
    const answer = await this.#pullBlob.pull(this.#question(repository, viewer), digest);
    this.#parts.observer.answered('blob', answer.cache);
    return answer;
  }

  statBlob(repository: Repository, digest: Digest, viewer: Viewer): ReturnType<Mirror['statBlob']> {
    return this.#pullBlob.stat(this.#question(repository, viewer), digest);
  }

  async listTags(
    repository: Repository,
    query: URLSearchParams,
    viewer: Viewer,
  ): Promise<ListAnswer> {
    const question = this.#question(repository, viewer);
    const { upstream, credential } = question;
    const fetch = () => upstream.listTags(repository.name, query, { credential });
    const answer = await this.#pullList
      .pull(question, ['tags', query.toString()], fetch)
      .catch((error: unknown) => this.#listKnownTags(question, query, error));
    this.#parts.observer.answered('tags', answer.cache);
    return answer;
  }

  async getReferrers(
    repository: Repository,
    digest: Digest,
    query: URLSearchParams,
    viewer: Viewer,
  ): Promise<ListAnswer> {
    const question = this.#question(repository, viewer);
    const { upstream, credential } = question;
    const fetch = () => upstream.getReferrers(repository.name, digest, query, { credential });
    const parts = ['referrers', digest, query.toString()];
    const answer = await this.#pullList.pull(question, parts, fetch);
    this.#parts.observer.answered('referrers', answer.cache);
    return answer;
  }

  fills(): readonly RunningFill[] {
    return this.#fills.list();
  }

  close(): Promise<void> {
    return this.#fills.close();
  }

  #question(repository: Repository, viewer: Viewer): Question {
    return makeQuestion(this.#parts.upstreams, repository, viewer);
  }

  async #listKnownTags(
    question: Question,
    query: URLSearchParams,
    error: unknown,
  ): Promise<ListAnswer> {
    const isStale = consequenceOf(error) === 'stale';
    const known = isStale ? await listKnownTags(this.#parts.index, question, query) : undefined;
    if (known === undefined) throw error;
    return { ...known, cache: 'stale' };
  }
}
