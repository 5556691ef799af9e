// Which images take the most room, and which are pulled the most. Counting reads the whole index.

import type { Digest } from '../oci/digest.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { type HeldImage, listImages } from '../store/evict.ts';
import { type HeldBlob, readHoldings } from '../store/holdings.ts';
import type { Index } from '../store/index.ts';
import type { RecentPulls } from './recent-pulls.ts';

/** Images in each list. */
const MAX_SHOWN = 10;

/** Sizes are bytes. */
export interface ImageUse {
  /** `docker.io/library/debian:12`; with the digest when no tag points to it. */
  readonly name: string;
  readonly digest: Digest;
  /** Of everything stored that it needs, as registries have it. */
  readonly size: number;
  /** Its share of what is stored: what several images need counts in equal parts. */
  readonly stored: number;
  /** Pulls of the last days, fading; since the start. */
  readonly pulls: number;
  readonly lastUseMs: number;
}

export interface ImageUses {
  readonly count: number;
  /** Those with the largest share first. */
  readonly biggest: readonly ImageUse[];
  /** Those pulled most first, then those used last. */
  readonly hottest: readonly ImageUse[];
}

export interface ImageUsesOptions {
  readonly store: BlobStore;
  readonly index: Index;
  readonly pulls: Pick<RecentPulls, 'of'>;
}

type Uses = Omit<ImageUse, 'name'>;

export async function readImageUses(options: ImageUsesOptions): Promise<ImageUses> {
  const { store, index, pulls } = options;
  const holdings = await readHoldings(store, index);
  const images = listImages(holdings).filter(({ manifests }) => manifests.length > 0);
  const needs = countNeeds(images);
  const uses = images.map((image) => measure(image, holdings.blobs, needs, pulls));
  const biggest = uses.toSorted((one, other) => other.stored - one.stored).slice(0, MAX_SHOWN);
  const hottest = uses.toSorted(byHeat).slice(0, MAX_SHOWN);
  const names = await nameImages(index, new Set([...biggest, ...hottest].map((use) => use.digest)));
  const named = (use: Uses) => ({ name: names.get(use.digest) ?? use.digest, ...use });
  return { count: images.length, biggest: biggest.map(named), hottest: hottest.map(named) };
}

function byHeat(one: Uses, other: Uses): number {
  return other.pulls - one.pulls || other.lastUseMs - one.lastUseMs;
}

/** How many images need each digest. */
function countNeeds(images: readonly HeldImage[]): ReadonlyMap<Digest, number> {
  const needs = new Map<Digest, number>();
  for (const { reach } of images)
    for (const digest of reach) needs.set(digest, (needs.get(digest) ?? 0) + 1);
  return needs;
}

function measure(
  { digest, reach, manifests, lastUseMs }: HeldImage,
  blobs: ReadonlyMap<Digest, HeldBlob>,
  needs: ReadonlyMap<Digest, number>,
  pulls: ImageUsesOptions['pulls'],
): Uses {
  let size = 0;
  let stored = 0;
  for (const needed of reach) {
    const blob = blobs.get(needed);
    if (blob === undefined) continue;
    size += blob.contentSize;
    stored += blob.size / (needs.get(needed) ?? 1);
  }
  // A client asks for the image of all platforms, then for its own; some only for the latter.
  const most = Math.max(...manifests.map((manifest) => pulls.of(manifest)));
  return { digest, size, stored: Math.round(stored), pulls: most, lastUseMs };
}

/** The first tag of each image, else a repository that has it. */
async function nameImages(
  index: Index,
  digests: ReadonlySet<Digest>,
): Promise<ReadonlyMap<Digest, string>> {
  const names = new Map<Digest, string>();
  for await (const { repository, tag, digest } of index.listTags()) {
    if (digests.has(digest) && !names.has(digest)) names.set(digest, `${repository}:${tag}`);
  }
  for (const digest of digests) {
    if (names.has(digest)) continue;
    const repository = await index.findRepository(digest);
    if (repository !== undefined) names.set(digest, `${repository}@${digest}`);
  }
  return names;
}
