// A manifest by its tag: while fresh without asking, then revalidated by HEAD, and when the upstream
// gives out, stale.

import { LRUCache } from 'lru-cache';
import type { Visibility } from '../access/visibility.ts';
import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { Tag } from '../oci/reference.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { Index, TagRecord } from '../store/index.ts';
import { UpstreamError } from '../upstream/upstream.ts';
import type { ManifestAnswer } from './mirror.ts';
import { noteIfPossible } from './note-if-possible.ts';
import type { PullManifest } from './pull-manifest.ts';
import { type Question, questionKey } from './question.ts';
import { SingleFlight } from './single-flight.ts';
import { consequenceOf } from './stale-if-error.ts';
import type { StoredManifests } from './stored-manifests.ts';

/** Absent tags that are remembered: 1 KB each at most. */
const MAX_ABSENT = 10_000;

export interface PullTagParts {
  readonly index: Index;
  readonly visibility: Visibility;
  readonly manifests: StoredManifests;
  readonly pullManifest: PullManifest;
  readonly clock: Clock;
  readonly tags: Config['tags'];
  readonly log: Log;
}

/** What is known of a tag before the upstream is asked. */
interface Known {
  readonly record: TagRecord;
  /** Whether this client may see it without asking. */
  readonly isVisible: boolean;
}

export class PullTag {
  readonly #parts: PullTagParts;
  readonly #flights: SingleFlight<ManifestAnswer> = new SingleFlight();
  readonly #absent: LRUCache<string, Error>;

  constructor(parts: PullTagParts) {
    this.#parts = parts;
    this.#absent = new LRUCache({
      max: MAX_ABSENT,
      ttl: Math.max(1, parts.tags.negativeTtlMs),
      perf: { now: () => parts.clock.now() },
      ttlResolution: 0,
    });
  }

  async pull(question: Question, tag: Tag): Promise<ManifestAnswer> {
    const flight = questionKey(question, tag);
    const absent = this.#absent.get(flight);
    if (absent !== undefined) throw absent;
    const known = await this.#look(question, tag);
    const fresh = await this.#readFresh(known);
    return fresh ?? this.#flights.run(flight, () => this.#refresh(question, tag, known));
  }

  async #look(question: Question, tag: Tag): Promise<Known | undefined> {
    const { index, visibility } = this.#parts;
    const record = await index.getTag(question.key, tag);
    if (record === undefined) return undefined;
    const { repository, credential } = question;
    const isShared = !record.withCredentials;
    return { record, isVisible: await visibility.isVisible(repository, isShared, credential) };
  }

  async #readFresh(known: Known | undefined): Promise<ManifestAnswer | undefined> {
    const { clock, tags, manifests } = this.#parts;
    if (known === undefined || !known.isVisible) return undefined;
    const ageMs = clock.now() - known.record.checkedMs;
    if (ageMs < 0 || ageMs >= tags.ttlMs) return undefined;
    const stored = await manifests.readNamed(known.record.digest);
    return stored === undefined ? undefined : { ...stored, cache: 'hit' };
  }

  async #refresh(question: Question, tag: Tag, known: Known | undefined): Promise<ManifestAnswer> {
    try {
      return await this.#ask(question, tag, known?.record);
    } catch (error) {
      const stale = await this.#afterError(question, tag, known, error);
      if (stale === undefined) throw error;
      return stale;
    }
  }

  async #ask(question: Question, tag: Tag, record: TagRecord | undefined): Promise<ManifestAnswer> {
    const { manifests, pullManifest } = this.#parts;
    // A HEAD costs nothing of Docker Hub's rate limit, and another tag may have brought the manifest.
    const digest = await this.#head(question, tag);
    const stored = digest === undefined ? undefined : await manifests.read(digest);
    if (stored !== undefined) {
      await pullManifest.note(question, stored.digest);
      await this.#note(question, tag, stored.digest, record);
      return { ...stored, cache: 'revalidated' };
    }
    const reference =
      digest === undefined
        ? ({ kind: 'tag', tag } as const)
        : ({ kind: 'digest', digest } as const);
    const fetched = await pullManifest.fetch(question, reference);
    await this.#note(question, tag, fetched.digest, record);
    return { ...fetched, cache: 'miss' };
  }

  /** The tag's digest by HEAD; undefined when the upstream cannot say it that way. */
  async #head(question: Question, tag: Tag): Promise<Digest | undefined> {
    const { repository, upstream, credential } = question;
    try {
      const head = await upstream.headManifest(
        repository.name,
        { kind: 'tag', tag },
        { credential },
      );
      return head.digest;
    } catch (error) {
      if (error instanceof UpstreamError && error.kind === 'invalid') return undefined;
      throw error;
    }
  }

  async #note(
    question: Question,
    tag: Tag,
    digest: Digest,
    before: TagRecord | undefined,
  ): Promise<void> {
    const { index, clock, log } = this.#parts;
    const { key, credential } = question;
    const wasShared = before?.digest === digest && !before.withCredentials;
    const withCredentials = credential !== undefined && !wasShared;
    await noteIfPossible(log, { repository: key, tag }, () =>
      index.putTag(key, tag, { digest, checkedMs: clock.now(), withCredentials }),
    );
  }

  /** The stale answer, if the error allows one; undefined when the error is to be passed on. */
  async #afterError(
    question: Question,
    tag: Tag,
    known: Known | undefined,
    error: unknown,
  ): Promise<ManifestAnswer | undefined> {
    const consequence = consequenceOf(error);
    if (consequence === 'stale') return this.#readStale(known);
    if (consequence === 'forget') await this.#forget(question, tag, known, error);
    else await this.#withdraw(question);
    return undefined;
  }

  async #withdraw({ repository, credential }: Question): Promise<void> {
    const { visibility, log } = this.#parts;
    await noteIfPossible(log, { repository }, () => visibility.withdraw(repository, credential));
  }

  async #readStale(known: Known | undefined): Promise<ManifestAnswer | undefined> {
    const { clock, tags, manifests } = this.#parts;
    if (known === undefined || !known.isVisible) return undefined;
    const ageMs = clock.now() - known.record.checkedMs;
    if (ageMs > tags.ttlMs + tags.staleIfErrorMs) return undefined;
    const stored = await manifests.readNamed(known.record.digest);
    return stored === undefined ? undefined : { ...stored, cache: 'stale' };
  }

  async #forget(
    question: Question,
    tag: Tag,
    known: Known | undefined,
    error: unknown,
  ): Promise<void> {
    const { index, tags, log } = this.#parts;
    if (tags.negativeTtlMs > 0 && error instanceof Error)
      this.#absent.set(questionKey(question, tag), error);
    // A registry also says 404 to those who may not know: only who could see the tag makes it go.
    const sawIt = known?.record.withCredentials === (question.credential !== undefined);
    if (sawIt) await noteIfPossible(log, { tag }, () => index.removeTag(question.key, tag));
  }
}
