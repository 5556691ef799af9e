// Looks at a data folder from outside: whether what lies under `blobs/` is what it is named.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const BLOB_PATH = /^(sha256|sha512)\/([0-9a-f]{2})\/([0-9a-f]+)$/;

export class CommittedBlobs {
  readonly #folder: string;
  readonly #whole = new Set<string>();

  constructor(data: string) {
    this.#folder = join(data, 'blobs');
  }

  /** Digests of the blobs that were found whole. */
  get digests(): ReadonlySet<string> {
    return this.#whole;
  }

  /** Hashes what came since the last look, all of it when `again`, and gives what is wrong. */
  async check(options: { readonly again?: boolean } = {}): Promise<readonly string[]> {
    const problems: string[] = [];
    const present = new Set<string>();
    for (const path of await this.#list()) {
      const [, algorithm = '', folder, hex = ''] = BLOB_PATH.exec(path) ?? [];
      const digest = `${algorithm}:${hex}`;
      if (folder === undefined || !hex.startsWith(folder))
        problems.push(`${path}: not a blob's name`);
      present.add(digest);
      if (this.#whole.has(digest) && options.again !== true) continue;
      const hash = createHash(algorithm === '' ? 'sha256' : algorithm);
      const content = await readFile(join(this.#folder, path));
      if (hash.update(content).digest('hex') === hex) this.#whole.add(digest);
      else problems.push(`${path}: ${content.length} bytes that have another digest`);
    }
    for (const digest of this.#whole)
      if (!present.has(digest)) problems.push(`${digest}: was committed and is gone`);
    return problems;
  }

  async #list(): Promise<readonly string[]> {
    try {
      const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(this.#folder.length + 1));
    } catch (error) {
      // Killed before it made the folder.
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    }
  }
}
