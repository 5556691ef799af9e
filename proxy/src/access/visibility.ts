// Which stored content a client may see: what anybody may, what the upstream lately let this client's
// credentials have, and else what the upstream says now.

import type { Repository } from '../oci/reference.ts';
import { repositoryKey } from '../oci/reference.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { Index } from '../store/index.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { ClientCredential, Viewer } from './credential.ts';

export interface VisibilityParts {
  readonly index: Index;
  readonly clock: Clock;
  /** How long the upstream's yes to a client's credentials holds. */
  readonly grantTtlMs: number;
}

/** The client's credential as far as this upstream is asked with it. */
export function credentialFor(upstream: Upstream, viewer: Viewer): ClientCredential | undefined {
  return upstream.passThrough ? viewer.credential : undefined;
}

export class Visibility {
  readonly #parts: VisibilityParts;

  constructor(parts: VisibilityParts) {
    this.#parts = parts;
  }

  /** Whether content of the repository may be served without asking the upstream. */
  async isVisible(
    repository: Repository,
    shared: boolean,
    credential: ClientCredential | undefined,
  ): Promise<boolean> {
    if (shared) return true;
    if (credential === undefined) return false;
    const key = repositoryKey(repository);
    const untilMs = await this.#parts.index.getGrant(key, credential.fingerprint);
    return untilMs > this.#parts.clock.now();
  }

  /** Notes that the upstream answered a request made with the credential. */
  async grant(repository: Repository, credential: ClientCredential | undefined): Promise<void> {
    if (credential === undefined) return;
    const untilMs = this.#parts.clock.now() + this.#parts.grantTtlMs;
    await this.#parts.index.putGrant(repositoryKey(repository), credential.fingerprint, untilMs);
  }

  /** Notes that the upstream refused the credential. */
  async withdraw(repository: Repository, credential: ClientCredential | undefined): Promise<void> {
    if (credential === undefined) return;
    await this.#parts.index.removeGrant(repositoryKey(repository), credential.fingerprint);
  }
}
