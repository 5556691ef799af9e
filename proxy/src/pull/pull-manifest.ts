// A manifest by its digest: the stored one when it is visible, else the upstream's.

import type { Visibility } from '../access/visibility.ts';
import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { ManifestReference } from '../oci/reference.ts';
import type { Index } from '../store/index.ts';
import { UpstreamError } from '../upstream/upstream.ts';
import type { ManifestAnswer } from './mirror.ts';
import { noteIfPossible } from './note-if-possible.ts';
import { type Question, questionKey } from './question.ts';
import { SingleFlight } from './single-flight.ts';
import type { StoredManifest, StoredManifests } from './stored-manifests.ts';

export interface PullManifestParts {
  readonly index: Index;
  readonly visibility: Visibility;
  readonly manifests: StoredManifests;
  readonly log: Log;
}

export class PullManifest {
  readonly #parts: PullManifestParts;
  readonly #flights: SingleFlight<StoredManifest> = new SingleFlight();

  constructor(parts: PullManifestParts) {
    this.#parts = parts;
  }

  async pull(question: Question, digest: Digest): Promise<ManifestAnswer> {
    const stored = await this.#readVisible(question, digest);
    if (stored !== undefined) return { ...stored, cache: 'hit' };
    const obtained = await this.#flights.run(questionKey(question, digest), () =>
      this.#obtain(question, digest),
    );
    return { ...obtained, cache: 'miss' };
  }

  /** Fetches from the upstream, checks and keeps. */
  async fetch(question: Question, reference: ManifestReference): Promise<StoredManifest> {
    const { visibility, log } = this.#parts;
    const { repository, upstream, credential } = question;
    const received = await upstream.getManifest(repository.name, reference, { credential });
    const expected = reference.kind === 'digest' ? reference.digest : undefined;
    const shared = credential === undefined;
    const stored = await this.#parts.manifests.write(repository, received, expected, shared);
    await noteIfPossible(log, { repository }, () => visibility.grant(repository, credential));
    return stored;
  }

  /** Notes that the upstream has a kept manifest in the repository, for this client. */
  async note({ repository, credential }: Question, digest: Digest): Promise<void> {
    const { visibility, manifests, log } = this.#parts;
    await noteIfPossible(log, { repository, digest }, async () => {
      await manifests.addTo(repository, digest, credential === undefined);
      await visibility.grant(repository, credential);
    });
  }

  async #readVisible(question: Question, digest: Digest): Promise<StoredManifest | undefined> {
    const { index, visibility, manifests } = this.#parts;
    const { repository, key, credential } = question;
    const membership = await index.getMembership(key, digest);
    if (membership === undefined) return undefined;
    if (!(await visibility.isVisible(repository, membership.shared, credential))) return undefined;
    return manifests.readNamed(digest);
  }

  /** The stored bytes if the upstream says that the repository has them, else the upstream's. */
  async #obtain(question: Question, digest: Digest): Promise<StoredManifest> {
    const { manifests } = this.#parts;
    const stored = await manifests.read(digest);
    if (stored !== undefined && (await this.#confirm(question, digest))) return stored;
    return this.fetch(question, { kind: 'digest', digest });
  }

  /** Whether the upstream says so now; false when it cannot answer a HEAD. */
  async #confirm(question: Question, digest: Digest): Promise<boolean> {
    const { repository, upstream, credential } = question;
    try {
      await upstream.headManifest(repository.name, { kind: 'digest', digest }, { credential });
    } catch (error) {
      if (error instanceof UpstreamError && error.kind === 'invalid') return false;
      throw error;
    }
    await this.note(question, digest);
    return true;
  }
}
