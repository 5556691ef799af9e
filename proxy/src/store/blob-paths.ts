// Where the disk store keeps each file, and what a file's name says of its digest.

import { type Digest, digestAlgorithm, digestHex, isDigest } from '../oci/digest.ts';
import { DigestFolder } from './digest-folder.ts';

/** Ends the names of partial blobs, which survive a restart. */
const PARTIAL_SUFFIX = '.part';

/** Ends the names of files that put() is writing; a crash leaves them, the next start removes them. */
const TEMPORARY_SUFFIX = '.put';

/** Paths below a data folder: `blobs/<algorithm>/<2 hex>/<hex>`, `fills/`, `quarantine/`. */
export class BlobPaths {
  readonly blobs: string;
  readonly fills: string;
  readonly quarantine: string;
  readonly named: DigestFolder;

  constructor(folder: string) {
    this.blobs = `${folder}/blobs`;
    this.named = new DigestFolder(this.blobs);
    this.fills = `${folder}/fills`;
    this.quarantine = `${folder}/quarantine`;
  }

  blob(digest: Digest): string {
    return this.named.path(digest);
  }

  partial(digest: Digest): string {
    return `${this.fills}/${flatName(digest)}${PARTIAL_SUFFIX}`;
  }

  temporary(digest: Digest): string {
    return `${this.fills}/${flatName(digest)}.${crypto.randomUUID()}${TEMPORARY_SUFFIX}`;
  }

  damaged(digest: Digest, nowMs: number): string {
    return `${this.quarantine}/${flatName(digest)}-${nowMs}`;
  }
}

/** A digest as one name of a file. */
export function flatName(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest)}`;
}

/** The digest of a partial blob's file name; undefined for other names. */
export function partialDigest(name: string): Digest | undefined {
  if (!name.endsWith(PARTIAL_SUFFIX)) return undefined;
  const text = name.slice(0, -PARTIAL_SUFFIX.length).replace('-', ':');
  return isDigest(text) ? text : undefined;
}

/** Whether put() made the file of this name. */
export function isTemporary(name: string): boolean {
  return name.endsWith(TEMPORARY_SUFFIX);
}

/** When a file went to quarantine, by its name; undefined when the name does not tell. */
export function quarantinedMs(name: string): number | undefined {
  const digits = /-(\d+)$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
