// What a site's nodes ask a mirror for: sessions, each an image that a node pulls at its time.
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { CorpusImage } from '../corpus/corpus-file.ts';

export interface Session {
  /** Since the trace's begin. */
  readonly startMs: number;
  /** Number of the node. */
  readonly client: number;
  /** Digest of the image's manifest. */
  readonly manifest: string;
  /** From the manifest to the first layer. */
  readonly gapMs: number;
  /** Digests of the layers that the node has not yet, in the order of the image. */
  readonly layers: readonly string[];
}

export interface TraceOptions {
  readonly sessions: number;
  /** The same seed gives the same trace. */
  readonly seed: number;
}

/** Nodes of a site at the edge. */
export const clientCount = 20;

/** Images that a node keeps; what it pulled before them is gone from it. */
const keptImages = 3;

/** The image of rank r is asked for in proportion to 1/r^s. Pulls of registries are near 1. */
const zipfExponent = 1;

/** Means; both times are drawn from an exponential distribution. */
const meanPauseMs = 1500;
const meanGapMs = 200;

/** Zipf over the images, ranks shuffled; sessions come independently of each other. */
export function makeTrace(
  images: readonly CorpusImage[],
  { sessions, seed }: TraceOptions,
): readonly Session[] {
  const random = createRandom(seed);
  const ranked = shuffle(images, random);
  const weights = ranked.map((_, rank) => 1 / (rank + 1) ** zipfExponent);
  const nodes = new Nodes();
  const trace: Session[] = [];
  let startMs = 0;
  for (let session = 0; session < sessions; session += 1) {
    startMs += drawExponential(random, meanPauseMs);
    const client = Math.floor(random() * clientCount);
    const image = ranked[drawIndex(weights, random)];
    const gapMs = drawExponential(random, meanGapMs);
    if (image !== undefined) {
      const { manifest } = image;
      trace.push({ startMs, client, manifest, gapMs, layers: nodes.pull(client, image) });
    }
  }
  return trace;
}

/** What nodes hold. */
export class Nodes {
  /** Images by node, the one pulled last at the end. */
  readonly #images = new Map<number, readonly CorpusImage[]>();

  /** The node has the image then; gives the layers that it lacked. */
  pull(client: number, image: CorpusImage): readonly string[] {
    const before = this.#images.get(client) ?? [];
    const held = new Set(before.flatMap(({ layers }) => layers.map(({ digest }) => digest)));
    const others = before.filter(({ manifest }) => manifest !== image.manifest);
    this.#images.set(client, [...others, image].slice(-keptImages));
    const digests = image.layers.map(({ digest }) => digest);
    return [...new Set(digests)].filter((digest) => !held.has(digest));
  }
}

/** From 0 to below 1. */
type Random = () => number;

function createRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  return () => uniformFloat64(generator);
}

function drawExponential(random: Random, mean: number): number {
  return -Math.log(1 - random()) * mean;
}

function drawIndex(weights: readonly number[], random: Random): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let left = random() * total;
  const index = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return index < 0 ? weights.length - 1 : index;
}

/** Fisher and Yates. */
function shuffle<T>(items: readonly T[], random: Random): readonly T[] {
  const shuffled = [...items];
  for (let index = shuffled.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    const [one, two] = [shuffled[index], shuffled[other]];
    if (one !== undefined && two !== undefined) {
      [shuffled[index], shuffled[other]] = [two, one];
    }
  }
  return shuffled;
}
