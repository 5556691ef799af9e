// Logs in to one URL of an upstream: remembers which challenge each repository gave, so that only the
// first request is turned away.

import { LRUCache } from 'lru-cache';
import type { RepositoryName } from '../oci/reference.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { basicAuthorization } from './fetch-token.ts';
import type { Login, TokenRequest, TokenSource } from './token-source.ts';
import { UpstreamError } from './upstream.ts';

/** Repositories remembered at a time, each with every credential that was used for it. */
const MAX_KNOWN = 10_000;
/** Longest scope that is asked for, in characters: ten times a long repository name's. */
const MAX_SCOPE_LENGTH = 4096;

type Known =
  | { readonly kind: 'basic' }
  | {
      readonly kind: 'bearer';
      readonly realm: URL;
      readonly service: string | undefined;
      readonly scope: string;
    };

export class Authorizer {
  readonly #upstream: string;
  readonly #tokens: TokenSource;
  readonly #known = new LRUCache<string, Known>({ max: MAX_KNOWN });

  constructor(upstream: string, tokens: TokenSource) {
    this.#upstream = upstream;
    this.#tokens = tokens;
  }

  /** The Authorization to send at once; undefined when the repository has not asked for one yet. */
  async recall(repository: RepositoryName, login: Login): Promise<string | undefined> {
    const key = keyOf(repository, login);
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    try {
      return await this.#authorize(known, login, undefined);
    } catch {
      // The registry may ask for something else by now; its next challenge tells, and is answered with the error if any.
      this.#known.delete(key);
      return undefined;
    }
  }

  /** The Authorization that answers a 401; `refused` was sent with the request. Rejects with UpstreamError. */
  async answer(
    repository: RepositoryName,
    login: Login,
    header: string | readonly string[] | undefined,
    refused: string | undefined,
  ): Promise<string> {
    const known = this.#choose(parseChallenges(header), repository);
    const authorization = await this.#authorize(known, login, refused);
    this.#known.set(keyOf(repository, login), known);
    return authorization;
  }

  /** Bearer before Basic: it sends the password to the token server only. */
  #choose(challenges: readonly Challenge[], repository: RepositoryName): Known {
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer === undefined) {
      if (challenges.some(({ scheme }) => scheme === 'basic')) return { kind: 'basic' };
      throw this.#error('unauthorized', 'the registry asks for no known way to log in');
    }
    const realm = bearer.parameters.get('realm') ?? '';
    if (!URL.canParse(realm)) throw this.#error('invalid', 'the challenge names no realm');
    const scope = bearer.parameters.get('scope') ?? '';
    return {
      kind: 'bearer',
      realm: new URL(realm),
      service: bearer.parameters.get('service'),
      scope:
        scope === '' || scope.length > MAX_SCOPE_LENGTH ? `repository:${repository}:pull` : scope,
    };
  }

  async #authorize(known: Known, login: Login, refused: string | undefined): Promise<string> {
    if (known.kind === 'bearer') {
      const { realm, service, scope } = known;
      const request: TokenRequest = { realm, service, scope, login };
      return `Bearer ${await this.#tokens.get(request, refused?.replace(/^Bearer /, ''))}`;
    }
    if (login.credential === undefined)
      throw this.#error('unauthorized', 'the registry asks for a user name and password');
    const authorization = basicAuthorization(login.credential);
    if (authorization === refused)
      throw this.#error('unauthorized', 'the registry refused the user name and password');
    return authorization;
  }

  #error(kind: 'unauthorized' | 'invalid', message: string): UpstreamError {
    return new UpstreamError(this.#upstream, kind, message, { status: 401 });
  }
}

function keyOf(repository: RepositoryName, login: Login): string {
  return `${login.fingerprint} ${repository}`;
}
