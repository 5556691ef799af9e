// Reads the name and password that a client sends, and makes the fingerprint that stands for them.
// Source: https://www.rfc-editor.org/rfc/rfc7617#section-2

import { LRUCache } from 'lru-cache';
import { OciError } from '../oci/error.ts';
import type { ClientCredential, Credential } from './credential.ts';

/** What a client is asked for where its own credentials are wanted. */
export const BASIC_CHALLENGE: Readonly<Record<string, string>> = {
  'WWW-Authenticate': 'Basic realm="mica", charset="UTF-8"',
};

/** Longest Authorization header, characters: cloud registries give passwords of some 2,000. */
const MAX_AUTHORIZATION_LENGTH = 8192;

/** Credentials whose fingerprint is remembered: more than the clients of one site. */
const MAX_REMEMBERED = 1000;

const BASIC = /^basic +([A-Za-z0-9+/]+=*) *$/i;

/** Parses an Authorization header; undefined when there is none, or one of another scheme. Throws UNAUTHORIZED. */
export function parseBasic(authorization: string | undefined): Credential | undefined {
  if (authorization === undefined || !/^basic\b/i.test(authorization)) return undefined;
  const encoded = BASIC.exec(authorization)?.[1];
  if (encoded === undefined || authorization.length > MAX_AUTHORIZATION_LENGTH) throw malformed();
  const text = decode(encoded);
  const colon = text.indexOf(':');
  if (colon < 0) throw malformed();
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function decode(encoded: string): string {
  try {
    const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw malformed(error);
  }
}

function malformed(cause?: unknown): OciError {
  return new OciError('UNAUTHORIZED', 401, 'the Authorization header is malformed', {
    headers: BASIC_CHALLENGE,
    ...(cause === undefined ? {} : { cause }),
  });
}

export class ClientCredentials {
  readonly #key: Uint8Array<ArrayBuffer>;
  readonly #known = new LRUCache<string, ClientCredential>({ max: MAX_REMEMBERED });
  #imported: Promise<CryptoKey> | undefined;

  /** `key` is the data folder's secret: fingerprints in the index are worth nothing without it. */
  constructor(key: Uint8Array) {
    this.#key = new Uint8Array(key);
  }

  /** The credential of an Authorization header; undefined without one. Throws UNAUTHORIZED. */
  async read(authorization: string | undefined): Promise<ClientCredential | undefined> {
    if (authorization === undefined) return undefined;
    const known = this.#known.get(authorization);
    if (known !== undefined) return known;
    const credential = parseBasic(authorization);
    if (credential === undefined) return undefined;
    const read = { ...credential, fingerprint: await this.#fingerprint(credential) };
    this.#known.set(authorization, read);
    return read;
  }

  async #fingerprint({ username, password }: Credential): Promise<string> {
    this.#imported ??= crypto.subtle.importKey(
      'raw',
      this.#key,
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign'],
    );
    // A user name has no colon (RFC 7617), so the text is that of one pair only.
    const text = new TextEncoder().encode(`${username}:${password}`);
    const mac = new Uint8Array(await crypto.subtle.sign('HMAC', await this.#imported, text));
    return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
}
