// Which images go when room is needed: the least recently used first, whole images at a time.
//
// An image is a manifest that no other manifest names, with all it reaches. Its blobs go when no
// image that stays needs them. What is busy or was used within the grace period stays, and with it
// the image that alone needs it.

import type { Digest } from '../oci/digest.ts';
import type { HeldBlob, HeldManifest, Holdings } from './holdings.ts';

/**
 * Content this young stays: a pull asks for the manifest first and for the last layer much later,
 * and no client waits longer between two of its requests.
 */
export const GRACE_MS: number = 10 * 60 * 1000;

/** Interrupted fills that nobody took up again for so long are not worth their place. */
export const STALE_PARTIAL_MS: number = 7 * 24 * 60 * 60 * 1000;

export interface HeldImage {
  /** The manifest that no other names; a blob that no manifest names stands for itself. */
  readonly digest: Digest;
  readonly lastUseMs: number;
  /** Manifests in the index, this one among them. */
  readonly manifests: readonly Digest[];
  /** Everything that it needs, itself included. */
  readonly reach: ReadonlySet<Digest>;
}

export interface EvictionPlan {
  /** Images that go, oldest first. */
  readonly images: readonly HeldImage[];
  /** Manifests that leave the index. */
  readonly manifests: readonly Digest[];
  /** Blobs that no image needs that stays, manifests' bytes among them. */
  readonly blobs: readonly Digest[];
  readonly partials: readonly Digest[];
  /** Bytes that become free. */
  readonly bytes: number;
}

/** All images, least recently used first. */
export function listImages(holdings: Holdings): HeldImage[] {
  const { manifests, blobs } = holdings;
  const named = new Set([...manifests.values()].flatMap((manifest) => manifest.children));
  const images = [...manifests.keys()]
    .filter((digest) => !named.has(digest))
    .map((digest) => describeImage(digest, manifests));
  for (const [digest, blob] of blobs) {
    if (named.has(digest) || manifests.has(digest)) continue;
    images.push({ digest, lastUseMs: blob.lastUseMs, manifests: [], reach: new Set([digest]) });
  }
  return images.sort((one, other) => one.lastUseMs - other.lastUseMs);
}

/** Chooses what goes so that `wanted` bytes become free; less when there is not enough that may go. */
export function planEviction(holdings: Holdings, wanted: number, nowMs: number): EvictionPlan {
  const isOld = (used: { readonly lastUseMs: number }) => used.lastUseMs <= nowMs - GRACE_MS;
  const mayGo = (held: HeldBlob | undefined) => held === undefined || (!held.isBusy && isOld(held));
  const { partials, bytes } = planPartials(holdings, wanted, nowMs);
  const plan = new Plan(holdings, bytes);
  for (const image of plan.candidates) {
    if (plan.bytes >= wanted) break;
    const isFree = plan.onlyNeededBy(image).every((digest) => mayGo(holdings.blobs.get(digest)));
    if (isOld(image) && isFree) plan.take(image);
  }
  return { ...plan, bytes: plan.bytes, partials };
}

/** What goes with one image, however young; empty when there is no such image. */
export function planRemoval(holdings: Holdings, top: Digest): EvictionPlan {
  const plan = new Plan(holdings, 0);
  for (const image of plan.candidates) if (image.digest === top) plan.take(image);
  return { ...plan, bytes: plan.bytes, partials: [] };
}

/** A plan in the making: knows how many of the images that stay need each digest. */
class Plan {
  readonly candidates: readonly HeldImage[];
  readonly images: HeldImage[] = [];
  readonly manifests: Digest[] = [];
  readonly blobs: Digest[] = [];
  bytes: number;
  readonly #holdings: Holdings;
  readonly #needs = new Map<Digest, number>();

  constructor(holdings: Holdings, bytes: number) {
    this.#holdings = holdings;
    this.bytes = bytes;
    this.candidates = listImages(holdings);
    for (const { reach } of this.candidates) for (const digest of reach) this.#need(digest, 1);
  }

  onlyNeededBy(image: HeldImage): Digest[] {
    return [...image.reach].filter((digest) => this.#needs.get(digest) === 1);
  }

  take(image: HeldImage): void {
    this.images.push(image);
    for (const digest of this.onlyNeededBy(image)) {
      if (this.#holdings.manifests.has(digest)) this.manifests.push(digest);
      const blob = this.#holdings.blobs.get(digest);
      if (blob === undefined) continue;
      this.blobs.push(digest);
      this.bytes += blob.size;
    }
    for (const digest of image.reach) this.#need(digest, -1);
  }

  #need(digest: Digest, change: number): void {
    this.#needs.set(digest, (this.#needs.get(digest) ?? 0) + change);
  }
}

/** Partial blobs go before images: nobody has been served from them in full. */
function planPartials(
  holdings: Holdings,
  wanted: number,
  nowMs: number,
): { partials: Digest[]; bytes: number } {
  const partials: Digest[] = [];
  let bytes = 0;
  const oldestFirst = [...holdings.partials].sort(([, a], [, b]) => a.lastUseMs - b.lastUseMs);
  for (const [digest, partial] of oldestFirst) {
    const ageMs = nowMs - partial.lastUseMs;
    const isInTheWay = bytes < wanted && ageMs >= GRACE_MS;
    if (partial.isBusy || !(isInTheWay || ageMs >= STALE_PARTIAL_MS)) continue;
    partials.push(digest);
    bytes += partial.size;
  }
  return { partials, bytes };
}

function describeImage(top: Digest, manifests: ReadonlyMap<Digest, HeldManifest>): HeldImage {
  const reach = new Set<Digest>([top]);
  const reached: Digest[] = [];
  let lastUseMs = 0;
  // A set's iteration includes what is added on the way.
  for (const digest of reach) {
    const manifest = manifests.get(digest);
    if (manifest === undefined) continue;
    reached.push(digest);
    lastUseMs = Math.max(lastUseMs, manifest.lastUseMs);
    for (const child of manifest.children) reach.add(child);
  }
  return { digest: top, lastUseMs, manifests: reached, reach };
}
