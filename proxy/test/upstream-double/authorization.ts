// Who may pull what from the fake registry, and the token server that says so.
// Source: https://distribution.github.io/distribution/spec/auth/token/ and /oauth/

import type { Answer } from './answer.ts';
import { emptyAnswer, errorAnswer, jsonAnswer } from './answer.ts';

export interface User {
  readonly password: string;
  /** Repositories the user may pull from; all when absent. */
  readonly repositories?: readonly string[];
}

export interface AuthorizationOptions {
  readonly kind: 'bearer' | 'basic';
  readonly users?: Readonly<Record<string, User>>;
  /** What may be pulled without a name: all, nothing, or a list of repositories. */
  readonly anonymous?: boolean | readonly string[];
  /** Runs the token server on its own port. */
  readonly tokenServer?: 'same' | 'other';
  readonly tokenMethods?: readonly ('GET' | 'POST')[];
  readonly tokenField?: 'token' | 'access_token';
  readonly tokenSeconds?: number;
  /** What is answered to a user who may not pull; 403 when absent. */
  readonly deniedStatus?: 401 | 403 | 404;
}

interface Token {
  readonly user: string | undefined;
  readonly repositories: readonly string[];
  readonly expiresMs: number;
}

type Identity =
  | { readonly kind: 'none' }
  | { readonly kind: 'bad' }
  | { readonly kind: 'user'; readonly name: string }
  | { readonly kind: 'token'; readonly token: Token };

/** Length of an issued token's life when nothing else is asked for: what the specification assumes. */
const TOKEN_SECONDS = 60;

export class Authorization {
  readonly #options: AuthorizationOptions;
  readonly #realm: () => string;
  readonly #tokens = new Map<string, Token>();
  readonly #revoked = new Set<string>();

  constructor(options: AuthorizationOptions, realm: () => string) {
    this.#options = options;
    this.#realm = realm;
  }

  /** Makes every token issued so far worthless. */
  revokeTokens(): void {
    this.#tokens.clear();
  }

  /** Refuses a user from now on, or takes the user back. */
  setRevoked(user: string, revoked: boolean): void {
    if (revoked) this.#revoked.add(user);
    else this.#revoked.delete(user);
  }

  /** The answer that refuses a request; undefined when it may go on. */
  check(header: string | undefined, repository: string | undefined): Answer | undefined {
    const identity = this.#identify(header);
    if (identity.kind === 'bad') return this.#challenge(repository);
    if (repository === undefined)
      return identity.kind === 'none' && this.#options.anonymous !== true
        ? this.#challenge(repository)
        : undefined;
    if (identity.kind === 'none')
      return this.#options.kind === 'basic' && this.#mayPull(undefined, repository)
        ? undefined
        : this.#challenge(repository);
    if (identity.kind === 'token') {
      if (!identity.token.repositories.includes(repository)) return this.#denied(repository);
      return this.#mayPull(identity.token.user, repository) ? undefined : this.#denied(repository);
    }
    return this.#mayPull(identity.name, repository) ? undefined : this.#denied(repository);
  }

  /** The token endpoint. */
  issue(
    method: string,
    query: URLSearchParams,
    authorization: string | undefined,
    body: string,
  ): Answer {
    const allowed: readonly string[] = this.#options.tokenMethods ?? ['GET', 'POST'];
    if (!allowed.includes(method)) return emptyAnswer(method === 'POST' ? 404 : 405);
    const form = method === 'POST' ? new URLSearchParams(body) : query;
    const user =
      method === 'POST'
        ? this.#login(form.get('username') ?? undefined, form.get('password') ?? '')
        : this.#loginBasic(authorization);
    if (user.kind === 'bad') return errorAnswer(401, 'UNAUTHORIZED');
    const name = user.kind === 'user' ? user.name : undefined;
    const repositories = form
      .getAll('scope')
      .flatMap((scope) => scope.split(' '))
      .map((scope) => /^repository:(.+):pull$/.exec(scope)?.[1] ?? '')
      .filter((repository) => repository !== '' && this.#mayPull(name, repository));
    return this.#token(name, repositories);
  }

  #token(user: string | undefined, repositories: readonly string[]): Answer {
    const seconds = this.#options.tokenSeconds ?? TOKEN_SECONDS;
    const value = `token-${this.#tokens.size + 1}-${Math.random().toString(36).slice(2)}`;
    this.#tokens.set(value, { user, repositories, expiresMs: Date.now() + seconds * 1000 });
    return jsonAnswer(200, {
      [this.#options.tokenField ?? 'token']: value,
      expires_in: seconds,
      issued_at: new Date().toISOString(),
    });
  }

  #identify(header: string | undefined): Identity {
    if (header === undefined) return { kind: 'none' };
    if (this.#options.kind === 'basic') return this.#loginBasic(header);
    const value = /^Bearer (.+)$/i.exec(header)?.[1];
    const token = value === undefined ? undefined : this.#tokens.get(value);
    if (token === undefined || token.expiresMs <= Date.now()) return { kind: 'bad' };
    return { kind: 'token', token };
  }

  #loginBasic(header: string | undefined): Identity {
    if (header === undefined) return { kind: 'none' };
    const encoded = /^Basic (.+)$/i.exec(header)?.[1] ?? '';
    const text = Buffer.from(encoded, 'base64').toString();
    const colon = text.indexOf(':');
    return this.#login(text.slice(0, Math.max(0, colon)), text.slice(colon + 1));
  }

  #login(name: string | undefined, password: string): Identity {
    if (name === undefined) return { kind: 'none' };
    const user = this.#options.users?.[name];
    if (user?.password !== password || this.#revoked.has(name)) return { kind: 'bad' };
    return { kind: 'user', name };
  }

  #mayPull(name: string | undefined, repository: string): boolean {
    if (name !== undefined && this.#revoked.has(name)) return false;
    const anonymous = this.#options.anonymous ?? false;
    if (anonymous === true || (anonymous !== false && anonymous.includes(repository))) return true;
    const user = name === undefined ? undefined : this.#options.users?.[name];
    if (user === undefined) return false;
    return user.repositories === undefined || user.repositories.includes(repository);
  }

  #challenge(repository: string | undefined): Answer {
    const scope = repository === undefined ? '' : `,scope="repository:${repository}:pull"`;
    return errorAnswer(401, 'UNAUTHORIZED', {
      'www-authenticate':
        this.#options.kind === 'basic'
          ? 'Basic realm="double"'
          : `Bearer realm="${this.#realm()}",service="double"${scope}`,
    });
  }

  #denied(repository: string): Answer {
    const status = this.#options.deniedStatus ?? 403;
    if (status === 401) return this.#challenge(repository);
    return errorAnswer(status, status === 403 ? 'DENIED' : 'NAME_UNKNOWN');
  }
}
