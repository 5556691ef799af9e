// `mica prefetch REF... [--platform P]... [--all-platforms] [--json]`: has the running server fetch
// images before anybody asks for them, by pulling through it as a client does.

import { formatBytes } from '../admin/page/format-bytes.ts';
import type { Config } from '../config/config.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor, Platform } from '../oci/manifest.ts';
import type { Repository } from '../oci/reference.ts';
import { upstreamNames } from '../routes/choose-upstream.ts';
import { forEachParallel } from '../store/for-each-parallel.ts';
import { localAddress } from './local-address.ts';
import { MirrorClient, MirrorClientError, type PulledManifest } from './mirror-client.ts';
import { describeError, printJson, withConfig } from './open-store.ts';
import {
  formatImageReference,
  type ImageReference,
  parseImageReference,
} from './parse-image-reference.ts';
import { formatPlatform, machinePlatform, parsePlatform, selectPlatforms } from './platforms.ts';
import { startProgress } from './progress.ts';
import { renderTable } from './table.ts';
import {
  type CommandContext,
  EXIT_DONE,
  EXIT_FAILED,
  type ExitCode,
  type Terminal,
} from './terminal.ts';
import { UsageError } from './usage-error.ts';

export interface PrefetchOptions {
  /** Platforms as `os/architecture[/variant]`; this machine's when there is none. */
  readonly platform?: readonly string[];
  readonly allPlatforms?: boolean;
  readonly json?: boolean;
}

/** Blobs at a time: what clients do too. */
const PARALLEL_BLOBS = 3;

/** Indexes in indexes, as deep as any that was seen in use. */
const MAX_DEPTH = 3;

interface PrefetchedImage {
  readonly image: string;
  readonly digest?: Digest;
  readonly manifests: number;
  readonly blobs: number;
  readonly bytes: number;
  /** Why it is not all there. */
  readonly failure?: string;
}

/** A blob with one of the repositories that have it. */
interface WantedBlob {
  readonly repository: Repository;
  readonly blob: Descriptor;
}

/** What is to be said of an image, and the blobs that decide whether all of it came. */
interface Prefetching {
  readonly result: PrefetchedImage;
  readonly blobs: ReadonlyMap<Digest, WantedBlob>;
}

/** Fails when an image could not be fetched in full. */
export function prefetch(
  context: CommandContext,
  names: readonly string[],
  options: PrefetchOptions,
): Promise<ExitCode> {
  const { terminal, runtime } = context;
  return withConfig(context, async (config) => {
    if (names.length === 0) throw new UsageError('name an image, such as debian:12');
    const images = names.map((name) => parseImageReference(name, upstreamNames(config)));
    const platforms = await choosePlatforms(context, options);
    const client = new MirrorClient(baseUrl(config), runtime.hashing);
    if (!(await isRunning(client, terminal))) return EXIT_FAILED;
    const fetching: Prefetching[] = [];
    for (const image of images) fetching.push(await fetchManifests(client, image, platforms));
    const failures = await fetchBlobs(client, fetching, terminal);
    const results = fetching.map((each) => conclude(each, failures));
    if (options.json === true) printJson(terminal, { images: results });
    else print(terminal, results);
    return results.every(({ failure }) => failure === undefined) ? EXIT_DONE : EXIT_FAILED;
  });
}

/** The platforms to take from an index; undefined for all. */
async function choosePlatforms(
  context: CommandContext,
  options: PrefetchOptions,
): Promise<readonly Platform[] | undefined> {
  if (options.allPlatforms === true) return undefined;
  const named = options.platform ?? [];
  if (named.length > 0) return named.map(parsePlatform);
  return [await machinePlatform(context.runtime.processes)];
}

function baseUrl(config: Config): string {
  const scheme = config.tls === undefined ? 'http' : 'https';
  return `${scheme}://${localAddress(config.listen)}`;
}

async function isRunning(client: MirrorClient, terminal: Terminal): Promise<boolean> {
  try {
    await client.ping();
    return true;
  } catch (error) {
    if (!(error instanceof MirrorClientError)) throw error;
    const hint = error.code === 'not-running' ? 'mica serve must run' : 'it must allow pulls';
    terminal.error(`mica: prefetch pulls through the server: ${describeError(error)}: ${hint}\n`);
    return false;
  }
}

/** Pulls an image's manifests, which name the blobs. */
async function fetchManifests(
  client: MirrorClient,
  image: ImageReference,
  platforms: readonly Platform[] | undefined,
): Promise<Prefetching> {
  const name = formatImageReference(image);
  const { repository, reference } = image;
  const blobs = new Map<Digest, WantedBlob>();
  try {
    const top = await client.getManifest(repository, reference);
    const manifests = await followIndex(client, repository, top, platforms, MAX_DEPTH);
    for (const blob of manifests.flatMap((manifest) => manifest.blobs)) {
      if (blob.foreign !== true) blobs.set(blob.digest, { repository, blob });
    }
    const bytes = sumSizes(blobs.values());
    const counts = { manifests: manifests.length, blobs: blobs.size, bytes };
    return { result: { image: name, digest: top.digest, ...counts }, blobs };
  } catch (error) {
    const nothing = { manifests: 0, blobs: 0, bytes: 0 };
    return { result: { image: name, ...nothing, failure: describeError(error) }, blobs };
  }
}

/** The manifest with those of the chosen platforms; rejects when an index has none of them. */
async function followIndex(
  client: MirrorClient,
  repository: Repository,
  manifest: PulledManifest,
  platforms: readonly Platform[] | undefined,
  depth: number,
): Promise<PulledManifest[]> {
  const images = manifest.manifests;
  const chosen = platforms === undefined ? images : selectPlatforms(images, platforms);
  if (images.length > 0 && chosen.length === 0) {
    const there = images.flatMap(({ platform }) => platform ?? []).map(formatPlatform);
    throw new Error(`not for this platform; there are ${there.join(', ') || 'none'}`);
  }
  const found = [manifest];
  if (depth === 0) return found;
  for (const { digest } of chosen) {
    const child = await client.getManifest(repository, { kind: 'digest', digest });
    found.push(...(await followIndex(client, repository, child, platforms, depth - 1)));
  }
  return found;
}

/** Pulls every blob once; gives the failures. */
async function fetchBlobs(
  client: MirrorClient,
  fetching: readonly Prefetching[],
  terminal: Terminal,
): Promise<ReadonlyMap<Digest, string>> {
  const wanted = new Map(fetching.flatMap(({ blobs }) => [...blobs]));
  const total = sumSizes(wanted.values());
  const failures = new Map<Digest, string>();
  const progress = startProgress(terminal, 'prefetch');
  let done = 0;
  await forEachParallel([...wanted.values()], PARALLEL_BLOBS, async ({ repository, blob }) => {
    try {
      await client.getBlob(repository, blob, (count) => {
        done += count;
        progress.update(done, Math.max(done, total));
      });
    } catch (error) {
      failures.set(blob.digest, describeError(error));
    }
  }).finally(() => progress.stop());
  return failures;
}

function conclude(
  { result, blobs }: Prefetching,
  failures: ReadonlyMap<Digest, string>,
): PrefetchedImage {
  const failed = [...blobs.keys()].find((digest) => failures.has(digest));
  const failure = failed === undefined ? undefined : failures.get(failed);
  return failure === undefined ? result : { ...result, failure };
}

function sumSizes(blobs: Iterable<WantedBlob>): number {
  let sum = 0;
  for (const { blob } of blobs) sum += blob.size;
  return sum;
}

function print(terminal: Terminal, results: readonly PrefetchedImage[]): void {
  const rows = results.map(({ image, manifests, blobs, bytes, failure }) => [
    image,
    String(manifests),
    String(blobs),
    formatBytes(bytes),
    failure === undefined ? 'fetched' : `failed: ${failure}`,
  ]);
  terminal.out(renderTable(['image', 'manifests', 'blobs', 'size', 'result'], rows));
}
