// Which credential a request uses: the client's own, else the configured one, else none.

import type { ClientCredential, Credential } from '../access/credential.ts';
import type { Hashing } from '../runtime/runtime.ts';
import type { Login } from './token-source.ts';
import { UpstreamError } from './upstream.ts';

const ANONYMOUS: Login = { fingerprint: 'anonymous', credential: undefined };

export class LoginSource {
  readonly #upstream: string;
  readonly #configured: () => Promise<Credential | undefined>;
  readonly #hashing: Hashing;

  constructor(
    upstream: string,
    configured: () => Promise<Credential | undefined>,
    hashing: Hashing,
  ) {
    this.#upstream = upstream;
    this.#configured = configured;
    this.#hashing = hashing;
  }

  /** Rejects with UpstreamError when the configured credential cannot be read. */
  async choose(client: ClientCredential | undefined): Promise<Login> {
    if (client !== undefined)
      return { fingerprint: `client ${client.fingerprint}`, credential: client };
    try {
      const credential = await this.#configured();
      if (credential === undefined) return ANONYMOUS;
      const { username, password } = credential;
      const bytes = new TextEncoder().encode(JSON.stringify([username, password]));
      const hash = await this.#hashing.hash('sha256', bytes);
      return { fingerprint: `configured ${hash}`, credential };
    } catch (cause) {
      const message = 'the configured credential cannot be read';
      throw new UpstreamError(this.#upstream, 'unauthorized', message, { cause });
    }
  }
}
