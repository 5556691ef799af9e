// Bearer tokens: fetched from the realm that a challenge names, cached, renewed before they end.
// Source: https://distribution.github.io/distribution/spec/auth/token/ and
// https://distribution.github.io/distribution/spec/auth/oauth/

import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Credential } from '../access/credential.ts';
import type { Clock } from '../runtime/runtime.ts';

/** Tokens kept at a time; each is a few kilobytes. */
const MAX_TOKENS = 2000;
/** A token's life when the server does not say, in seconds: the specification's default. */
const DEFAULT_LIFE_SECONDS = 60;
/** Longest life that is believed: a day. */
const MAX_LIFE_SECONDS = 86_400;
/** How long before its end a token is renewed: long enough for the request that carries it. */
const MIN_MARGIN_MS = 10_000;
const MARGIN_RATIO = 0.1;

/** Whose token: `fingerprint` stands for the credential in keys. */
export interface Login {
  readonly fingerprint: string;
  readonly credential: Credential | undefined;
}

export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scope: string;
  readonly login: Login;
}

/** What a token server answered with 2xx. */
export interface TokenAnswer {
  readonly token: string;
  readonly lifeSeconds: number;
  readonly issuedMs: number | undefined;
}

/** Does the HTTP. */
export type FetchToken = (request: TokenRequest) => Promise<TokenAnswer>;

interface CachedToken {
  readonly token: string;
  readonly renewMs: number;
}

/** Many callers who need one token at the same time cause one request. */
export class TokenSource {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #fetch: FetchToken;
  readonly #tokens = new LRUCache<string, CachedToken>({ max: MAX_TOKENS });
  readonly #running = new Map<string, Promise<string>>();

  constructor(clock: Pick<Clock, 'now'>, fetch: FetchToken) {
    this.#clock = clock;
    this.#fetch = fetch;
  }

  /** A token that is not `refused`: one the registry has just turned down. */
  get(request: TokenRequest, refused?: string): Promise<string> {
    const key = tokenKey(request);
    const cached = this.#tokens.get(key);
    if (cached !== undefined && cached.token !== refused && this.#clock.now() < cached.renewMs)
      return Promise.resolve(cached.token);
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const fetching = this.#renew(key, request).finally(() => this.#running.delete(key));
    this.#running.set(key, fetching);
    return fetching;
  }

  async #renew(key: string, request: TokenRequest): Promise<string> {
    const answer = await this.#fetch(request);
    this.#tokens.set(key, {
      token: answer.token,
      renewMs: renewalMs(answer, this.#clock.now()),
    });
    return answer.token;
  }
}

/**
 * When to get a new token. `issued_at` counts only where both clocks agree that the token is alive:
 * servers that hand out the same token for a while say so by it, wrong clocks must not spoil each token.
 */
export function renewalMs(answer: TokenAnswer, nowMs: number): number {
  const lifeMs = Math.min(MAX_LIFE_SECONDS, answer.lifeSeconds) * 1000;
  const issuedMs = Math.min(nowMs, answer.issuedMs ?? nowMs);
  const endMs = issuedMs + lifeMs > nowMs ? issuedMs + lifeMs : nowMs + lifeMs;
  const leftMs = endMs - nowMs;
  return endMs - Math.min(leftMs / 2, Math.max(MIN_MARGIN_MS, leftMs * MARGIN_RATIO));
}

function tokenKey({ realm, service, scope, login }: TokenRequest): string {
  return JSON.stringify([realm.href, service ?? null, scope, login.fingerprint]);
}

/** Empty and null values count as absent: servers send both. */
const absent = z.union([z.null(), z.literal('')]).transform(() => undefined);
const tokenText = z.union([absent, z.string().regex(/^[\x21-\x7e]+$/)]).optional();
const TOKEN_BODY = z.object({
  token: tokenText,
  access_token: tokenText,
  expires_in: z.union([absent, z.number(), z.string().transform(Number)]).optional(),
  issued_at: z.union([absent, z.string()]).optional(),
});

/** Reads the body of a token server's answer; undefined when there is no token in it. */
export function parseTokenAnswer(text: string): TokenAnswer | undefined {
  const body = TOKEN_BODY.safeParse(parseJson(text)).data;
  const token = body?.token ?? body?.access_token;
  if (body === undefined || token === undefined) return undefined;
  const life = body.expires_in;
  const issuedMs = Date.parse(body.issued_at ?? '');
  return {
    token,
    lifeSeconds: life !== undefined && life > 0 ? life : DEFAULT_LIFE_SECONDS,
    issuedMs: Number.isNaN(issuedMs) ? undefined : issuedMs,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: no token in it, which the caller reports.
    return undefined;
  }
}
