// Whole blobs as files in a data folder, named by their digest.
//
// begin() writes `fills/<digest>.part`; commit() checks, syncs and renames it to `blobs/`. A blob that
// is found damaged goes to `quarantine/`, and is absent from then on.

import type { Log } from '../log.ts';
import { type Digest, digestAlgorithm, digestHex, digestOf } from '../oci/digest.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { BlobChecks } from './blob-checks.ts';
import { BlobPaths, isTemporary, partialDigest, quarantinedMs } from './blob-paths.ts';
import {
  type BlobEntry,
  type BlobSource,
  type BlobStore,
  type PartialBlob,
  WrongBlobError,
} from './blob-store.ts';
import { listFolder } from './digest-folder.ts';
import { DiskPartialBlob } from './disk-partial-blob.ts';
import { hasCode } from './file-error.ts';
import { HELD_BACK_TAIL } from './held-back-tail.ts';
import { type OpenBlob, OpenBlobs } from './open-blobs.ts';
import { openSized } from './open-sized.ts';
import { Publisher } from './publish.ts';
import { StoredSource, type Verdict } from './stored-source.ts';

/** Age at which a file that put() left behind is removed, in ms: no put() takes an hour. */
const TEMPORARY_AGE_MS = 3_600_000;

export interface DiskBlobStoreOptions {
  /** The data folder; made if absent. */
  readonly folder: string;
  readonly runtime: Runtime;
  /** How long a blob that was found whole is read without another check, in ms. */
  readonly recheckMs: number;
  readonly log: Log;
  /** A blob was found damaged and is in quarantine: what leads to it should go. */
  onDamaged(digest: Digest): void;
}

/** The digest is being filled already: its partial blob has another writer. */
export class BusyBlobError extends Error {
  override readonly name = 'BusyBlobError';
  readonly code = 'BLOB_BUSY';
  readonly digest: Digest;

  constructor(digest: Digest) {
    super(`${digest} is being filled already`);
    this.digest = digest;
  }
}

/** Makes the folders and removes what a crash left of put(). */
export async function openDiskBlobStore(options: DiskBlobStoreOptions): Promise<DiskBlobStore> {
  const { files, clock } = options.runtime;
  const paths = new BlobPaths(options.folder);
  for (const folder of [paths.blobs, paths.fills, paths.quarantine]) {
    await files.makeDirectory(folder);
  }
  await files.syncDirectory(options.folder);
  for (const name of await files.list(paths.fills)) {
    if (!isTemporary(name)) continue;
    const status = await files.stat(`${paths.fills}/${name}`);
    if (status !== undefined && clock.now() - status.modifiedMs > TEMPORARY_AGE_MS) {
      await files.remove(`${paths.fills}/${name}`);
    }
  }
  return new DiskBlobStore(options, paths);
}

export class DiskBlobStore implements BlobStore {
  readonly #options: DiskBlobStoreOptions;
  readonly #runtime: Runtime;
  readonly #paths: BlobPaths;
  readonly #open: OpenBlobs;
  readonly #checks: BlobChecks;
  readonly #publisher: Publisher;
  /** Digests that have a writer. */
  readonly #filling: Set<Digest> = new Set();
  /** How many sources, partial blobs and puts each digest has. */
  readonly #uses: Map<Digest, number> = new Map();

  constructor(options: DiskBlobStoreOptions, paths: BlobPaths) {
    this.#options = options;
    this.#runtime = options.runtime;
    this.#paths = paths;
    this.#open = new OpenBlobs(options.runtime.files, options.runtime.clock);
    this.#checks = new BlobChecks(options.runtime, options.recheckMs);
    this.#publisher = new Publisher(paths.fills, paths.named, options.runtime.files);
  }

  async stat(digest: Digest): Promise<number | undefined> {
    const open = this.#open.size(digest);
    if (open !== undefined) return open;
    const status = await this.#runtime.files.stat(this.#paths.blob(digest));
    return status?.kind === 'file' ? status.size : undefined;
  }

  async open(digest: Digest): Promise<BlobSource | undefined> {
    const isFresh = this.#checks.isFresh(digest);
    // An idle descriptor may be of a file that is gone or changed: a check starts from the name.
    if (!isFresh && !this.isBusy(digest)) this.#open.retire(digest);
    const blob = await this.#acquire(digest);
    if (blob === undefined) return undefined;
    if (isFresh) return this.#source(blob);
    const check = this.#check(blob);
    if (blob.size > HELD_BACK_TAIL) return this.#source(blob, check);
    const verdict = await check;
    if (verdict === 'whole') return this.#source(blob);
    this.#release(blob);
    return undefined;
  }

  async read(digest: Digest): Promise<Uint8Array | undefined> {
    const blob = await this.#acquire(digest);
    if (blob === undefined) return undefined;
    try {
      const bytes = await readWhole(blob);
      const hex = await this.#runtime.hashing.hash(digestAlgorithm(digest), bytes);
      if (hex === digestHex(digest)) return bytes;
    } catch (error) {
      if (!hasCode(error, 'EIO')) throw error;
    } finally {
      this.#release(blob);
    }
    await this.#setAside(blob);
    return undefined;
  }

  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    const algorithm = digestAlgorithm(digest);
    const hex = await this.#runtime.hashing.hash(algorithm, bytes);
    if (hex !== digestHex(digest)) {
      throw new WrongBlobError(digest, digest, digestOf(algorithm, hex));
    }
    const path = this.#paths.temporary(digest);
    this.#use(digest);
    try {
      await this.#writeSynced(path, bytes);
      await this.#publish(path, digest);
    } catch (error) {
      await this.#runtime.files.remove(path);
      throw error;
    } finally {
      this.#unuse(digest);
    }
  }

  async begin(digest: Digest): Promise<PartialBlob> {
    if (this.#filling.has(digest)) throw new BusyBlobError(digest);
    this.#filling.add(digest);
    this.#use(digest);
    try {
      const path = this.#paths.partial(digest);
      const { file, size: length } = await openSized(this.#runtime.files, path, 'update');
      return new DiskPartialBlob(digest, path, file, length, {
        runtime: this.#runtime,
        publish: (from) => this.#publish(from, digest),
        onEnded: () => this.#filling.delete(digest),
        onClosed: () => this.#unuse(digest),
      });
    } catch (error) {
      this.#filling.delete(digest);
      this.#unuse(digest);
      throw error;
    }
  }

  async *list(): AsyncGenerator<BlobEntry> {
    for await (const { digest, size, modifiedMs } of this.#paths.named.list(this.#runtime.files)) {
      yield { digest, size, modifiedMs };
    }
  }

  async *partials(): AsyncGenerator<BlobEntry> {
    for (const name of await listFolder(this.#runtime.files, this.#paths.fills)) {
      const digest = partialDigest(name);
      if (digest === undefined) continue;
      const entry = await this.#entry(digest, `${this.#paths.fills}/${name}`);
      if (entry !== undefined) yield entry;
    }
  }

  remove(digest: Digest): Promise<boolean> {
    this.#forget(digest);
    return this.#removeFile(this.#paths.blob(digest));
  }

  removePartial(digest: Digest): Promise<boolean> {
    // A running fill still needs its file; it ends in a commit or leaves the bytes for another call.
    if (this.#filling.has(digest)) return Promise.resolve(false);
    return this.#removeFile(this.#paths.partial(digest));
  }

  async quarantine(digest: Digest): Promise<void> {
    this.#forget(digest);
    const { files, clock } = this.#runtime;
    try {
      await files.rename(this.#paths.blob(digest), this.#paths.damaged(digest, clock.now()));
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return;
      throw error;
    }
    await files.syncDirectory(this.#paths.quarantine);
    await files.syncDirectory(this.#paths.named.folderOf(digest));
  }

  async removeQuarantined(beforeMs: number): Promise<number> {
    let bytes = 0;
    for (const name of await listFolder(this.#runtime.files, this.#paths.quarantine)) {
      const sinceMs = quarantinedMs(name);
      if (sinceMs === undefined || sinceMs >= beforeMs) continue;
      const path = `${this.#paths.quarantine}/${name}`;
      const status = await this.#runtime.files.stat(path);
      await this.#runtime.files.remove(path);
      bytes += status?.size ?? 0;
    }
    return bytes;
  }

  async verify(digest: Digest): Promise<'whole' | 'damaged' | 'absent'> {
    // What is on the disk now counts, so the name is opened anew.
    this.#open.retire(digest);
    const blob = await this.#acquire(digest);
    if (blob === undefined) return 'absent';
    try {
      const verdict = await this.#checks.run(blob, this.#paths.blob(digest));
      if (verdict === 'unknown') throw new Error(`${digest} could not be checked`);
      if (verdict === 'damaged') this.#forget(digest);
      return verdict;
    } finally {
      this.#release(blob);
    }
  }

  isBusy(digest: Digest): boolean {
    return this.#uses.has(digest);
  }

  close(): Promise<void> {
    this.#checks.close();
    this.#open.close();
    return Promise.resolve();
  }

  /** The open blob with one more user. One whose file cannot be opened for a broken disk is damaged. */
  async #acquire(digest: Digest): Promise<OpenBlob | undefined> {
    this.#use(digest);
    let blob: OpenBlob | undefined;
    try {
      blob = await this.#open.acquire(digest, this.#paths.blob(digest));
    } catch (error) {
      if (!hasCode(error, 'EIO')) throw error;
      await this.#reportDamage(digest);
    } finally {
      if (blob === undefined) this.#unuse(digest);
    }
    return blob;
  }

  #release(blob: OpenBlob): void {
    this.#open.release(blob);
    this.#unuse(blob.digest);
  }

  #source(blob: OpenBlob, check?: Promise<Verdict>): BlobSource {
    return new StoredSource({
      blob,
      check,
      onDamage: () => this.#setAside(blob),
      onClose: () => this.#release(blob),
    });
  }

  /** Checks an open blob and sets it aside when it is damaged. Until then the check is a user of it. */
  async #check(blob: OpenBlob): Promise<Verdict> {
    this.#open.hold(blob);
    try {
      const verdict = await this.#checks.run(blob, this.#paths.blob(blob.digest));
      if (verdict === 'damaged') await this.#setAside(blob);
      return verdict;
    } finally {
      this.#open.release(blob);
    }
  }

  /** Quarantines what an open blob's name means, unless that is another file by now. */
  async #setAside(blob: OpenBlob): Promise<void> {
    if (!blob.isRetired) await this.#reportDamage(blob.digest);
  }

  async #reportDamage(digest: Digest): Promise<void> {
    try {
      await this.quarantine(digest);
    } catch (error) {
      this.#options.log.error({ digest, error }, 'a damaged blob could not be set aside');
    }
    this.#options.log.warn({ digest }, 'a blob was damaged; it will be fetched again');
    try {
      this.#options.onDamaged(digest);
    } catch (error) {
      // Checks run beside the reads; nobody above could catch this.
      this.#options.log.error({ digest, error }, 'a damaged blob could not be reported');
    }
  }

  async #publish(path: string, digest: Digest): Promise<void> {
    try {
      await this.#publisher.publish(path, digest);
    } finally {
      // Also a name that could not be made durable may mean another file by now.
      this.#open.retire(digest);
    }
    this.#checks.remember(digest);
  }

  async #writeSynced(path: string, bytes: Uint8Array): Promise<void> {
    const file = await this.#runtime.files.open(path, 'create');
    try {
      await file.write(bytes, 0);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** From now on the digest's name is opened anew and checked. */
  #forget(digest: Digest): void {
    this.#checks.forget(digest);
    this.#open.retire(digest);
  }

  async #removeFile(path: string): Promise<boolean> {
    const wasThere = (await this.#runtime.files.stat(path)) !== undefined;
    if (wasThere) await this.#runtime.files.remove(path);
    return wasThere;
  }

  async #entry(digest: Digest, path: string): Promise<BlobEntry | undefined> {
    const status = await this.#runtime.files.stat(path);
    if (status?.kind !== 'file') return undefined;
    return { digest, size: status.size, modifiedMs: status.modifiedMs };
  }

  #use(digest: Digest): void {
    this.#uses.set(digest, (this.#uses.get(digest) ?? 0) + 1);
  }

  #unuse(digest: Digest): void {
    const left = (this.#uses.get(digest) ?? 1) - 1;
    if (left === 0) this.#uses.delete(digest);
    else this.#uses.set(digest, left);
  }
}

async function readWhole(blob: OpenBlob): Promise<Uint8Array> {
  const bytes = new Uint8Array(blob.size);
  for (let position = 0; position < blob.size; ) {
    const count = await blob.file.read(bytes.subarray(position), position);
    if (count === 0) return bytes.subarray(0, position);
    position += count;
  }
  return bytes;
}
