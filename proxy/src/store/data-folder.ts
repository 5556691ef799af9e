// The data folder: everything Mica keeps on disk, in one place with a version.

import { type LmdbFileIndex, openLmdbFileIndex } from '../dedup/lmdb-file-index.ts';
import type { Log } from '../log.ts';
import type { Digest } from '../oci/digest.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { DataFolderError, describeUser } from './data-folder-error.ts';
import { type DiskBlobStore, openDiskBlobStore } from './disk-blob-store.ts';
import { hasCode } from './file-error.ts';
import { type LmdbEnvironment, openLmdbEnvironment } from './lmdb-environment.ts';
import { type LmdbIndex, openLmdbIndex } from './lmdb-index.ts';
import { readIfThere } from './read-if-there.ts';

/** The layout that this software writes. Older ones it reads; newer ones it does not know. */
export const DATA_FOLDER_VERSION = 1;

/** Length of the key for fingerprints of credentials, in bytes: the block that HMAC-SHA-256 gives. */
const SECRET_SIZE = 32;

/** A day: an edge site's hot layers cost one more read from the disk per day. */
const DEFAULT_RECHECK_MS = 86_400_000;

/** What the file system says to who may not write, by POSIX code. */
const NOT_WRITABLE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR']);

export interface DataFolderOptions {
  /** Absolute; made if absent. */
  readonly path: string;
  readonly runtime: Runtime;
  /** How long a blob that was found whole is read without another check, in ms. */
  readonly recheckMs?: number;
  readonly log?: Log;
  onDamaged?(digest: Digest): void;
}

export interface DataFolder {
  readonly path: string;
  readonly blobs: DiskBlobStore;
  readonly index: LmdbIndex;
  readonly files: LmdbFileIndex;
  /** What both are in, for further tables. */
  readonly environment: LmdbEnvironment;
  /** 32 random bytes, made with the folder: the key for fingerprints of credentials. */
  readonly secret: Uint8Array;
  /** Writes what is pending and closes all files. */
  close(): Promise<void>;
}

const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Opens or makes a data folder; rejects with DataFolderError when it cannot be used. */
export async function openDataFolder(options: DataFolderOptions): Promise<DataFolder> {
  const { path, runtime } = options;
  const secret = await prepare(path, runtime);
  const log = options.log ?? silent;
  const environment = await openLmdbEnvironment({ folder: `${path}/index`, log });
  const index = openLmdbIndex({ environment, log });
  const files = openLmdbFileIndex({ environment, now: () => runtime.clock.now() });
  const blobs = await openDiskBlobStore({
    folder: path,
    runtime,
    recheckMs: options.recheckMs ?? DEFAULT_RECHECK_MS,
    log,
    onDamaged: (digest) => options.onDamaged?.(digest),
  });
  return {
    path,
    blobs,
    index,
    files,
    environment,
    secret,
    close: async () => {
      await blobs.close();
      await files.close();
      await index.close();
      await environment.close();
    },
  };
}

/** Makes folder, version and secret; gives the secret. */
async function prepare(path: string, runtime: Runtime): Promise<Uint8Array> {
  try {
    await runtime.files.makeDirectory(path);
    await checkVersion(path, runtime);
    await checkWritable(path, runtime);
    await runtime.files.makeDirectory(`${path}/index`);
    return await loadSecret(path, runtime);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!NOT_WRITABLE.has(code)) throw error;
    const user = describeUser(runtime);
    throw new DataFolderError(
      'DATA_FOLDER_NOT_WRITABLE',
      path,
      `${path} cannot be written by ${user} (${code}): give the folder to that user (chown), or set data to another`,
      { cause: error },
    );
  }
}

async function checkVersion(path: string, runtime: Runtime): Promise<void> {
  const text = await readIfThere(`${path}/VERSION`, runtime);
  if (text === undefined) {
    await createWhole(path, 'VERSION', encode(`${DATA_FOLDER_VERSION}\n`), runtime);
    return;
  }
  if (!/^[1-9][0-9]{0,8}\n?$/.test(text)) {
    throw new DataFolderError(
      'DATA_FOLDER_UNKNOWN',
      path,
      `${path}/VERSION does not hold a version number: is this a data folder of Mica?`,
    );
  }
  if (Number(text) <= DATA_FOLDER_VERSION) return;
  throw new DataFolderError(
    'DATA_FOLDER_TOO_NEW',
    path,
    `${path} was written by a newer Mica (layout ${text.trim()}, this one knows ${DATA_FOLDER_VERSION}): update Mica, or set data to another folder`,
  );
}

/** A folder that is there already may belong to somebody else. */
async function checkWritable(path: string, runtime: Runtime): Promise<void> {
  const probe = `${path}/.probe-${crypto.randomUUID()}`;
  try {
    await (await runtime.files.open(probe, 'create')).close();
    await runtime.files.remove(probe);
  } catch (error) {
    // A full disk is no reason not to start: Mica then serves without storing.
    if (!hasCode(error, 'ENOSPC')) throw error;
  }
}

async function loadSecret(path: string, runtime: Runtime): Promise<Uint8Array> {
  const made = toHex(crypto.getRandomValues(new Uint8Array(SECRET_SIZE)));
  const known = await readIfThere(`${path}/secret`, runtime);
  if (known === undefined) await createWhole(path, 'secret', encode(`${made}\n`), runtime);
  const text = (known ?? (await runtime.files.readText(`${path}/secret`))).trim();
  if (text.length === 2 * SECRET_SIZE && /^[0-9a-f]+$/.test(text)) return fromHex(text);
  throw new DataFolderError(
    'DATA_FOLDER_UNKNOWN',
    path,
    `${path}/secret does not hold ${SECRET_SIZE} bytes in hex: remove the file to make a new one`,
  );
}

/** Creates a file that is never seen half-written; when somebody else did it first, theirs stays. */
async function createWhole(
  folder: string,
  name: string,
  bytes: Uint8Array,
  { files }: Runtime,
): Promise<void> {
  const temporary = `${folder}/.${name}-${crypto.randomUUID()}`;
  const file = await files.open(temporary, 'create');
  try {
    await file.write(bytes, 0);
    await file.sync();
    await files.link(temporary, `${folder}/${name}`);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await file.close();
    await files.remove(temporary);
  }
  await files.syncDirectory(folder);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function fromHex(hex: string): Uint8Array {
  const size = hex.length / 2;
  return Uint8Array.from({ length: size }, (_, at) =>
    Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16),
  );
}
