// Kills the server at random moments under load, and looks at what it left and what it serves after.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { runMica } from '../peers/mica.ts';
import { startMica } from '../server-under-test.ts';
import type { Image } from '../upstream-double/content.ts';
import { type Registry, startRegistry } from '../upstream-double/registry.ts';
import { CommittedBlobs } from './committed-blobs.ts';
import { type Outcome, pull } from './pull.ts';
import { SeededRandom } from './seeded-random.ts';

const KILLS = 200;
/** Data folders that are worked on side by side. */
const LANES = 2;
/** So many of the kills hit a server that is still starting. */
const STARTING_RATIO = 0.2;
/** A start takes about this long, milliseconds. */
const START_MS = 600;
/** A kill comes after fewer than so many answers, and then within so many milliseconds. */
const MAX_ANSWERS = 40;
const MAX_DELAY_MS = 100;
/** A kill does not wait longer for answers, milliseconds. */
const MAX_LOAD_MS = 2000;

const CLIENTS = 6;
const IMAGES_PER_ROUND = 3;
const MAX_LAYER_SIZE = 2 * 1024 * 1024;
/** Slows some fills down so far that a kill finds them half done. */
const SLOW_BYTES_PER_SECOND = 2 * 1024 * 1024;

/** One data folder and the images that are pulled into it. */
interface Lane {
  readonly random: SeededRandom;
  readonly upstream: Registry;
  readonly repository: string;
  readonly folder: string;
  readonly data: string;
  readonly committed: CommittedBlobs;
  readonly images: Image[];
}

test(`${KILLS} kills under load leave every committed blob whole and nothing half-written visible`, async (t) => {
  const seed = Number(process.env['MICA_TEST_SEED'] ?? '1');
  t.log(`MICA_TEST_SEED=${seed}`);
  const upstream = await startRegistry();
  t.teardown(() => upstream.close());
  const lanes = Array.from({ length: LANES }, async (_, number) => {
    const folder = await mkdtemp(join(tmpdir(), 'mica-sigkill-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const data = join(folder, 'data');
    const lane: Lane = {
      random: new SeededRandom(seed * LANES + number),
      upstream,
      repository: `site/lane-${number}`,
      folder,
      data,
      committed: new CommittedBlobs(data),
      images: [],
    };
    for (let round = 0; round < KILLS / LANES; round += 1) await killOnce(t, lane, round);
    await checkAfterwards(t, lane);
  });
  // Also when one fails: the other must not go on in a folder that is gone.
  for (const lane of await Promise.allSettled(lanes))
    if (lane.status === 'rejected') throw lane.reason;
  const resumed = upstream.requests.filter((request) => request.headers.range !== undefined);
  t.log(`${resumed.length} fills went on where a killed server had stopped`);
  t.true(resumed.length > 0);
});

function upstreamsOf(lane: Lane): Record<string, unknown> {
  return { 'docker.io': { url: lane.upstream.url } };
}

async function killOnce(t: ExecutionContext, lane: Lane, round: number): Promise<void> {
  if (lane.random.next() < STARTING_RATIO) {
    const timeoutMs = lane.random.integer(1, START_MS);
    const { folder, data } = lane;
    await runMica({ folder, data, upstreams: upstreamsOf(lane), timeoutMs }, 'serve');
  } else {
    putImages(lane, round);
    const outcomes = await killUnderLoad(lane);
    t.false(outcomes.includes('wrong'), `round ${round}: a complete answer had wrong bytes`);
  }
  t.deepEqual(await lane.committed.check(), [], `round ${round}`);
}

function putImages(lane: Lane, round: number): void {
  const { random, repository, upstream } = lane;
  for (let number = 0; number < IMAGES_PER_ROUND; number += 1) {
    const image = upstream.putImage({
      repository,
      seed: `${repository}/${round}/${number}`,
      layers: Array.from({ length: 3 }, () => random.size(1, MAX_LAYER_SIZE)),
      algorithm: random.next() < 0.2 ? 'sha512' : 'sha256',
    });
    lane.images.push(image);
    const slow = image.layers[random.integer(0, 3)];
    if (slow !== undefined)
      upstream.faults.add({
        path: slow.digest,
        method: 'GET',
        times: 1,
        fault: { kind: 'drip', bytesPerSecond: SLOW_BYTES_PER_SECOND },
      });
  }
}

/** Starts a server, pulls with several clients until a random moment, and kills it there. */
async function killUnderLoad(lane: Lane): Promise<readonly Outcome[]> {
  const mica = await startMica({ upstreams: upstreamsOf(lane), data: lane.data });
  const outcomes: Outcome[] = [];
  const answers = lane.random.integer(0, MAX_ANSWERS);
  let answered: () => void = () => undefined;
  const enough = new Promise<void>((resolve) => {
    answered = resolve;
  });
  if (answers === 0) answered();
  let isAlive = true;
  const client = async (): Promise<void> => {
    while (isAlive) {
      // The latest images, some of which an earlier kill interrupted.
      const newest = lane.images.slice(-2 * IMAGES_PER_ROUND);
      const image = newest[lane.random.integer(0, newest.length)];
      if (image === undefined) return;
      for (const url of contentOf(lane, mica.url, image)) {
        if (!isAlive) return;
        outcomes.push(await pull(url.url, url.digest));
        if (outcomes.length >= answers) answered();
      }
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  // The moment of a kill is what this test varies; there is no event to wait for.
  await Promise.race([enough, delay(MAX_LOAD_MS)]);
  await delay(lane.random.integer(0, MAX_DELAY_MS));
  isAlive = false;
  await mica.kill();
  await Promise.all(clients);
  return outcomes;
}

function contentOf(
  lane: Lane,
  url: string,
  image: Image,
): readonly { url: string; digest: string }[] {
  const base = `${url}/v2/${lane.repository}`;
  const { digest } = image.manifest;
  return [
    { url: `${base}/manifests/${digest}`, digest },
    ...[image.config, ...image.layers].map((blob) => ({
      url: `${base}/blobs/${blob.digest}`,
      digest: blob.digest,
    })),
  ];
}

/** Starts once more: everything is served right, and what was committed is not fetched again. */
async function checkAfterwards(t: ExecutionContext, lane: Lane): Promise<void> {
  const committed = new Set(lane.committed.digests);
  const before = lane.upstream.requests.length;
  const mica = await startMica({ upstreams: upstreamsOf(lane), data: lane.data });
  for (const image of lane.images) {
    for (const { url, digest } of contentOf(lane, mica.url, image))
      t.is(await pull(url, digest), 'whole', digest);
  }
  await mica.stop();
  const fetched = lane.upstream.requests
    .slice(before)
    // Not manifests: a kill between a manifest's bytes and the index makes it unknown again.
    .filter((request) => request.method === 'GET')
    .filter((request) => request.path.includes(`${lane.repository}/blobs/`))
    .map((request) => request.path.split('/').at(-1) ?? '');
  t.deepEqual(
    fetched.filter((digest) => committed.has(digest)),
    [],
    'committed blobs that were fetched again',
  );
  t.deepEqual(await lane.committed.check({ again: true }), []);
  t.log(`${lane.repository}: ${committed.size} blobs were committed before the last kill`);
  const { folder, data } = lane;
  const verify = await runMica({ folder, data, upstreams: upstreamsOf(lane) }, 'verify');
  t.is(verify.code, 0, `${verify.output}\n${verify.errors}`);
}
