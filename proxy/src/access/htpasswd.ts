// The password file of those who may use Mica, in Apache's format with bcrypt.
// Source: https://httpd.apache.org/docs/2.4/misc/password_encryptions.html

import { compare } from 'bcryptjs';
import { LRUCache } from 'lru-cache';
import { OciError } from '../oci/error.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** How often the file is looked at, ms. */
const LOOK_EVERY_MS = 1000;

/** Passwords that were found right and are not hashed again, and wrong ones. */
const MAX_REMEMBERED = 1000;

/** Passwords that wait to be hashed: each takes 50 to 250 ms of the only thread. */
const MAX_WAITING = 32;

/** Compared with for names that are not in the file, so that the time does not tell them. */
const NOBODY = '$2y$10$abcdefghijklmnopqrstuuN1DzaHMkDmaMl3ZyXaAbgcG5xAYfnxe';

const BCRYPT = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/;

/** Parses the file: name to hash. Throws when a line is not `name:bcrypt hash`. */
export function parseHtpasswd(text: string): ReadonlyMap<string, string> {
  const hashes = new Map<string, string>();
  for (const [index, line] of text.split('\n').entries()) {
    const entry = line.trim();
    if (entry === '' || entry.startsWith('#')) continue;
    const colon = entry.indexOf(':');
    const hash = entry.slice(colon + 1);
    if (colon < 1 || !BCRYPT.test(hash)) {
      throw new Error(`line ${index + 1} is not a name and a bcrypt hash (htpasswd -B)`);
    }
    hashes.set(entry.slice(0, colon), hash);
  }
  return hashes;
}

export class Htpasswd {
  readonly #path: string;
  readonly #runtime: Pick<Runtime, 'files' | 'clock'>;
  /** Key of what is remembered, so that no password stays in memory. */
  readonly #key: Promise<CryptoKey>;
  readonly #remembered = new LRUCache<string, Promise<boolean>>({ max: MAX_REMEMBERED });
  #hashes: ReadonlyMap<string, string> = new Map();
  #modifiedMs = Number.NaN;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  private constructor(path: string, runtime: Pick<Runtime, 'files' | 'clock'>) {
    this.#path = path;
    this.#runtime = runtime;
    this.#key = crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  }

  /** Loads the file; rejects when it cannot be read or has a wrong line. */
  static async open(path: string, runtime: Pick<Runtime, 'files' | 'clock'>): Promise<Htpasswd> {
    const htpasswd = new Htpasswd(path, runtime);
    await htpasswd.#load();
    return htpasswd;
  }

  /** Whether name and password are right. Rejects with TOOMANYREQUESTS when too many are asked about. */
  async check(username: string, password: string): Promise<boolean> {
    await this.#refresh();
    const hash = this.#hashes.get(username) ?? NOBODY;
    const key = await this.#fingerprint(`${username}:${password}:${hash}`);
    const known = this.#remembered.get(key);
    if (known !== undefined) return await known;
    const result = this.#compare(password, hash);
    this.#remembered.set(key, result);
    try {
      return await result;
    } catch (error) {
      this.#remembered.delete(key);
      throw error;
    }
  }

  /** One at a time, so that requests that need no hash get their turn in between. */
  async #compare(password: string, hash: string): Promise<boolean> {
    if (this.#waiting >= MAX_WAITING) {
      const options = { retryAfterSeconds: 5 };
      throw new OciError('TOOMANYREQUESTS', 429, 'too many passwords to check', options);
    }
    this.#waiting += 1;
    const compared = this.#last.then(() => compare(password, hash));
    this.#last = compared.catch(() => undefined);
    try {
      return (await compared) && hash !== NOBODY;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #refresh(): Promise<void> {
    const nowMs = this.#runtime.clock.now();
    if (nowMs - this.#lookedMs >= LOOK_EVERY_MS) {
      this.#loading ??= this.#load().finally(() => {
        this.#loading = undefined;
      });
    }
    try {
      await this.#loading;
    } catch {
      // A file that is being replaced: who was in it before stays in until the next look.
    }
  }

  async #load(): Promise<void> {
    this.#lookedMs = this.#runtime.clock.now();
    const status = await this.#runtime.files.stat(this.#path);
    if (status === undefined) throw new Error(`${this.#path} is not there`);
    if (status.modifiedMs === this.#modifiedMs) return;
    this.#hashes = parseHtpasswd(await this.#runtime.files.readText(this.#path));
    this.#modifiedMs = status.modifiedMs;
  }

  async #fingerprint(text: string): Promise<string> {
    const bytes = new TextEncoder().encode(text);
    const mac = new Uint8Array(await crypto.subtle.sign('HMAC', await this.#key, bytes));
    return String.fromCharCode(...mac);
  }
}
