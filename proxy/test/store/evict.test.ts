import test from 'ava';
import fc from 'fast-check';
import { type Digest, parseDigest } from '../../src/oci/digest.ts';
import {
  type EvictionPlan,
  GRACE_MS,
  listImages,
  planEviction,
  planRemoval,
  STALE_PARTIAL_MS,
} from '../../src/store/evict.ts';
import type { HeldBlob, HeldManifest, Holdings } from '../../src/store/holdings.ts';

const NOW = 1_750_000_000_000;

function digestNumber(number: number): Digest {
  return parseDigest(`sha256:${number.toString(16).padStart(64, '0')}`);
}

interface Layout {
  readonly indexes: readonly { ageMs: number; images: readonly number[] }[];
  readonly images: readonly { ageMs: number; blobs: readonly number[] }[];
  readonly blobs: readonly { ageMs: number; size: number; isBusy: boolean; isThere: boolean }[];
  readonly partials: readonly { ageMs: number; size: number; isBusy: boolean }[];
}

/** Numbers of digests: blobs from 0, images' manifests from 1000, indexes from 2000, partials from 3000. */
function build(layout: Layout): Holdings {
  const manifests = new Map<Digest, HeldManifest>();
  const blobs = new Map<Digest, HeldBlob>();
  const addManifest = (digest: Digest, ageMs: number, children: readonly Digest[]) => {
    manifests.set(digest, { lastUseMs: NOW - ageMs, children });
    blobs.set(digest, { size: 1, contentSize: 1, lastUseMs: NOW - ageMs, isBusy: false });
  };
  for (const [at, { ageMs, images }] of layout.indexes.entries()) {
    addManifest(
      digestNumber(2000 + at),
      ageMs,
      images.map((image) => digestNumber(1000 + image)),
    );
  }
  for (const [at, { ageMs, blobs: needed }] of layout.images.entries()) {
    addManifest(digestNumber(1000 + at), ageMs, needed.map(digestNumber));
  }
  for (const [at, { ageMs, size, isBusy, isThere }] of layout.blobs.entries()) {
    if (isThere)
      blobs.set(digestNumber(at), { size, contentSize: size, lastUseMs: NOW - ageMs, isBusy });
  }
  const partials = layout.partials.map(
    ({ ageMs, size, isBusy }, at) =>
      [
        digestNumber(3000 + at),
        { size, contentSize: size, isBusy, lastUseMs: NOW - ageMs },
      ] as const,
  );
  return { manifests, blobs, partials: new Map(partials) };
}

const age = fc.oneof(
  fc.integer({ min: 0, max: GRACE_MS * 2 }),
  fc.integer({ min: 0, max: STALE_PARTIAL_MS * 2 }),
);
const size = fc.integer({ min: 0, max: 1000 });
const holdings = fc
  .record({
    indexes: fc.array(
      fc.record({ ageMs: age, images: fc.uniqueArray(fc.nat(7), { maxLength: 3 }) }),
      { maxLength: 4 },
    ),
    images: fc.array(
      fc.record({ ageMs: age, blobs: fc.uniqueArray(fc.nat(11), { maxLength: 4 }) }),
      { maxLength: 8 },
    ),
    blobs: fc.array(
      fc.record({
        ageMs: age,
        size,
        isBusy: fc.nat(9).map((n) => n === 0),
        isThere: fc.nat(9).map((n) => n > 0),
      }),
      { maxLength: 12 },
    ),
    partials: fc.array(fc.record({ ageMs: age, size, isBusy: fc.boolean() }), { maxLength: 4 }),
  })
  .map(build);
const wanted = fc.integer({ min: 0, max: 6000 });

function isUsable(held: HeldBlob | undefined): boolean {
  return held === undefined || (!held.isBusy && held.lastUseMs <= NOW - GRACE_MS);
}

/** What every manifest that stays leads to: the slow and plain way. */
function stillNeeded(held: Holdings, plan: EvictionPlan): Set<Digest> {
  const gone = new Set(plan.manifests);
  const needed = new Set<Digest>();
  for (const [digest, manifest] of held.manifests) {
    if (gone.has(digest)) continue;
    needed.add(digest);
    for (const child of manifest.children) needed.add(child);
  }
  return needed;
}

test('planEviction() never takes what is busy or young', (t) => {
  const law = fc.property(holdings, wanted, (held, bytes) => {
    const plan = planEviction(held, bytes, NOW);
    const taken = [
      ...plan.blobs.map((digest) => held.blobs.get(digest)),
      ...plan.partials.map((digest) => held.partials.get(digest)),
    ];
    return (
      taken.every((blob) => blob !== undefined && isUsable(blob)) &&
      plan.images.every((image) => image.lastUseMs <= NOW - GRACE_MS)
    );
  });
  t.notThrows(() => fc.assert(law, { numRuns: 500 }));
});

test('planEviction() never takes what an image that stays needs', (t) => {
  const law = fc.property(holdings, wanted, (held, bytes) => {
    const plan = planEviction(held, bytes, NOW);
    const needed = stillNeeded(held, plan);
    return [...plan.blobs, ...plan.manifests].every((digest) => !needed.has(digest));
  });
  t.notThrows(() => fc.assert(law, { numRuns: 500 }));
});

test('planEviction() takes no image while an older one that may go stays', (t) => {
  const law = fc.property(holdings, wanted, (held, bytes) => {
    const plan = planEviction(held, bytes, NOW);
    const taken = new Set(plan.images.map((image) => image.digest));
    const youngest = Math.max(0, ...plan.images.map((image) => image.lastUseMs));
    const all = listImages(held);
    return all
      .filter((image) => !taken.has(image.digest) && image.lastUseMs < youngest)
      .every((image) => [...image.reach].some((digest) => !isUsable(held.blobs.get(digest))));
  });
  t.notThrows(() => fc.assert(law, { numRuns: 500 }));
});

test('planEviction() frees what was wanted, or leaves nothing that may go', (t) => {
  const law = fc.property(holdings, wanted, (held, bytes) => {
    const plan = planEviction(held, bytes, NOW);
    if (plan.bytes >= bytes) return true;
    const taken = new Set(plan.images.map((image) => image.digest));
    return listImages(held)
      .filter((image) => !taken.has(image.digest))
      .every(
        (image) =>
          image.lastUseMs > NOW - GRACE_MS ||
          [...image.reach].some((digest) => !isUsable(held.blobs.get(digest))),
      );
  });
  t.notThrows(() => fc.assert(law, { numRuns: 500 }));
});

test('planEviction() counts the bytes of what it takes, each once', (t) => {
  const law = fc.property(holdings, wanted, (held, bytes) => {
    const plan = planEviction(held, bytes, NOW);
    const sizes = [
      ...plan.blobs.map((digest) => held.blobs.get(digest)?.size ?? Number.NaN),
      ...plan.partials.map((digest) => held.partials.get(digest)?.size ?? Number.NaN),
    ];
    const isOnce = new Set(plan.blobs).size === plan.blobs.length;
    return isOnce && sizes.reduce((sum, each) => sum + each, 0) === plan.bytes;
  });
  t.notThrows(() => fc.assert(law, { numRuns: 500 }));
});

test('planEviction() takes stale partial blobs even when nothing is wanted', (t) => {
  const held = build({
    indexes: [],
    images: [],
    blobs: [],
    partials: [
      { ageMs: STALE_PARTIAL_MS, size: 10, isBusy: false },
      { ageMs: STALE_PARTIAL_MS - 1, size: 10, isBusy: false },
      { ageMs: STALE_PARTIAL_MS, size: 10, isBusy: true },
    ],
  });
  t.deepEqual(planEviction(held, 0, NOW).partials, [digestNumber(3000)]);
});

test('planEviction() keeps an old image that shares its manifest with a young index', (t) => {
  const held = build({
    indexes: [
      { ageMs: GRACE_MS * 5, images: [0] },
      { ageMs: 0, images: [0] },
    ],
    images: [{ ageMs: GRACE_MS * 5, blobs: [0] }],
    blobs: [{ ageMs: GRACE_MS * 5, size: 100, isBusy: false, isThere: true }],
    partials: [],
  });
  const plan = planEviction(held, 1000, NOW);
  t.deepEqual(plan.manifests, [digestNumber(2000)]);
  t.deepEqual(plan.blobs, [digestNumber(2000)]);
});

test('planRemoval() takes one image with what it alone needs, however young', (t) => {
  const held = build({
    indexes: [],
    images: [
      { ageMs: 0, blobs: [0, 1] },
      { ageMs: 0, blobs: [1, 2] },
    ],
    blobs: [0, 1, 2].map(() => ({ ageMs: 0, size: 10, isBusy: false, isThere: true })),
    partials: [],
  });
  const plan = planRemoval(held, digestNumber(1000));
  t.deepEqual(plan.manifests, [digestNumber(1000)]);
  t.deepEqual(new Set(plan.blobs), new Set([digestNumber(1000), digestNumber(0)]));
  t.is(plan.bytes, 11);
});
