// Hashes everything again and looks for what does not fit together; on demand mends it.
//
// Mending takes away what is wrong: the next request fetches it again. The index goes first, then the
// data, as in remove-images.ts; what is taken from the disk is kept in quarantine.

import { PLACES_SUFFIX } from '../dedup/recipe-store.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import type { Files, Runtime } from '../runtime/runtime.ts';
import { BlobPaths, isTemporary, partialDigest } from './blob-paths.ts';
import type { BlobEntry, BlobStore } from './blob-store.ts';
import { DigestFolder, listFolder } from './digest-folder.ts';
import { forEachParallel } from './for-each-parallel.ts';
import type { Index } from './index.ts';

/**
 * `damaged`: a blob whose bytes are not its digest's; `missing`: a manifest of the index without its
 * bytes; `misplaced`: a file where none of that name belongs; `unreadable`: a blob that could not be
 * checked, which cannot be mended; `miscounted`: what the index counts otherwise than it is.
 */
export type DamageKind = 'damaged' | 'missing' | 'misplaced' | 'unreadable' | 'miscounted';

export interface Damage {
  readonly kind: DamageKind;
  /** The digest, or the path of a misplaced file. */
  readonly subject: string;
  /** Why it is unreadable, or how it is miscounted. */
  readonly reason?: string;
  readonly isRepaired: boolean;
}

export interface VerifyStoreOptions {
  readonly store: BlobStore;
  readonly index: Index;
  readonly runtime: Pick<Runtime, 'files' | 'clock'>;
  /** The data folder. */
  readonly folder: string;
  readonly repair: boolean;
  /** Called after each blob with bytes hashed so far and in total. */
  onProgress?(done: number, total: number): void;
}

export interface VerifyReport {
  readonly blobs: number;
  readonly bytes: number;
  readonly manifests: number;
  readonly damage: readonly Damage[];
}

/** Blobs hashed at a time: enough to keep a disk busy while one waits for its first bytes. */
const PARALLEL_BLOBS = 4;

export async function verifyStore(options: VerifyStoreOptions): Promise<VerifyReport> {
  const blobs: BlobEntry[] = [];
  for await (const entry of options.store.list()) blobs.push(entry);
  const damage = await verifyBlobs(options, blobs);
  const manifests = await verifyManifests(options);
  const misplaced = await verifyPlaces(options);
  return {
    blobs: blobs.length,
    bytes: blobs.reduce((sum, blob) => sum + blob.size, 0),
    manifests: manifests.count,
    damage: [...damage, ...manifests.damage, ...misplaced],
  };
}

async function verifyBlobs(
  options: VerifyStoreOptions,
  blobs: readonly BlobEntry[],
): Promise<Damage[]> {
  const damage: Damage[] = [];
  const total = blobs.reduce((sum, blob) => sum + blob.size, 0);
  let done = 0;
  await forEachParallel(blobs, PARALLEL_BLOBS, async ({ digest, size }) => {
    const found = await verifyBlob(options, digest);
    if (found !== undefined) damage.push(found);
    done += size;
    options.onProgress?.(done, total);
  });
  // The same store tells the same each time, whatever is hashed first.
  return damage.sort((one, other) => (one.subject < other.subject ? -1 : 1));
}

/** A blob that went while it was being looked at is none of the damages. */
async function verifyBlob(
  options: VerifyStoreOptions,
  digest: Digest,
): Promise<Damage | undefined> {
  try {
    if ((await options.store.verify(digest)) !== 'damaged') return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'unreadable', subject: digest, reason, isRepaired: false };
  }
  if (options.repair) {
    // Of a layer only the bytes go: its membership stays, so that it is fetched again when asked for.
    const isManifest = (await options.index.getManifest(digest)) !== undefined;
    if (isManifest) await options.index.removeManifest(digest);
    await options.store.quarantine(digest);
  }
  return { kind: 'damaged', subject: digest, isRepaired: options.repair };
}

async function verifyManifests(
  options: VerifyStoreOptions,
): Promise<{ count: number; damage: Damage[] }> {
  const { store, index, repair } = options;
  const damage: Damage[] = [];
  let count = 0;
  for await (const { digest } of index.listManifests()) {
    count += 1;
    if ((await store.stat(digest)) !== undefined) continue;
    // Evicted since it was listed: the index's entry goes before the bytes.
    if ((await index.getManifest(digest)) === undefined) continue;
    if (repair) await index.removeManifest(digest);
    damage.push({ kind: 'missing', subject: digest, isRepaired: repair });
  }
  return { count, damage };
}

/** Files in `blobs/`, `recipes/` and `fills/` whose place is not that of a blob. */
async function verifyPlaces(options: VerifyStoreOptions): Promise<Damage[]> {
  const { files, clock } = options.runtime;
  const paths = new BlobPaths(options.folder);
  const damage: Damage[] = [];
  const nowMs = clock.now();
  const stray = [
    ...(await strayNames(files, paths.named)),
    ...(await strayRecipes(files, options.folder)),
    ...(await strayFills(files, paths)),
  ];
  for (const path of stray) {
    if (options.repair) {
      const flat = path.slice(options.folder.length + 1).replaceAll('/', '-');
      await files.rename(path, `${paths.quarantine}/misplaced-${flat}-${nowMs}`);
    }
    damage.push({ kind: 'misplaced', subject: path, isRepaired: options.repair });
  }
  return damage;
}

/** Files in a folder of digests that have no digest's name and place, and that are not otherwise known. */
async function strayNames(
  files: Files,
  named: DigestFolder,
  isKnown: (path: string) => boolean = () => false,
): Promise<string[]> {
  const stray: string[] = [];
  for await (const path of filesBelow(files, named.root)) {
    if (!isNamed(named, path) && !isKnown(path)) stray.push(path);
  }
  return stray;
}

function isNamed(named: DigestFolder, path: string): boolean {
  const [algorithm, , hex] = path.slice(named.root.length + 1).split('/');
  const digest = `${algorithm}:${hex}`;
  return isDigest(digest) && named.path(digest) === path;
}

/** Recipes in the making have other names, and so has what is kept beside recipes. */
function strayRecipes(files: Files, folder: string): Promise<string[]> {
  const named = new DigestFolder(`${folder}/recipes`);
  return strayNames(files, named, (path) => {
    if (path.startsWith(`${named.root}/new/`)) return true;
    return path.endsWith(PLACES_SUFFIX) && isNamed(named, path.slice(0, -PLACES_SUFFIX.length));
  });
}

async function strayFills(files: Files, paths: BlobPaths): Promise<string[]> {
  const names = await listFolder(files, paths.fills);
  return names
    .filter((name) => partialDigest(name) === undefined && !isTemporary(name))
    .map((name) => `${paths.fills}/${name}`);
}

async function* filesBelow(files: Files, folder: string): AsyncGenerator<string> {
  for (const name of await listFolder(files, folder)) {
    const path = `${folder}/${name}`;
    if ((await files.stat(path))?.kind === 'directory') yield* filesBelow(files, path);
    else yield path;
  }
}
