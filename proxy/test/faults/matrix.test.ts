// The fault matrix: whatever the upstream does, no client ever gets a wrong body that looks right,
// nothing wrong is kept, and the next request tries again.

import test from 'ava';
import { get } from '../http/client.ts';
import { startMirror } from '../http/mirror.ts';
import type { Content } from '../upstream-double/content.ts';
import { makeGate } from '../upstream-double/gate.ts';
import { FAULTS, type FaultCase, forLayer } from './matrix.ts';
import { checkAnswer, checkExpected, type Expected, getPatiently } from './outcome.ts';

const mirror = await startMirror({
  spares: FAULTS.length * 5,
  upstream: { headersTimeout: '3s', bodyTimeout: '1500ms' },
});
test.after.always(() => mirror.stop());

const LAYER_SIZE = 60_000;

interface Asked {
  readonly path: string;
  readonly content: Content;
  readonly expected: Expected;
  readonly method?: 'GET';
  /** What the client asks for first, with the upstream still in order. */
  readonly before?: string;
}

type Ask = (repository: string, fault: FaultCase) => Asked;

function putImage(repository: string) {
  const image = mirror.upstream.putImage({
    repository,
    tag: 'v1',
    seed: repository,
    layers: [LAYER_SIZE],
  });
  return { manifest: image.manifest, layer: image.layers[0] ?? image.config };
}

const WAYS: Readonly<Record<string, Ask>> = {
  'a blob that a manifest names': (repository, { blob }) => {
    const { layer } = putImage(repository);
    return {
      path: `blobs/${layer.digest}`,
      content: layer,
      expected: blob,
      before: 'manifests/v1',
    };
  },
  'a blob that nothing names': (repository, { blob, fault }) => {
    const { layer } = putImage(repository);
    // Without a size from manifest or header, nothing can be sent before all of it came.
    const expected = fault.kind === 'no-length' ? 'either' : blob;
    return { path: `blobs/${layer.digest}`, content: layer, expected };
  },
  'a manifest by digest': (repository, fault) => {
    const { manifest } = putImage(repository);
    return { path: `manifests/${manifest.digest}`, content: manifest, expected: fault.manifest };
  },
  'a manifest by tag': (repository, fault) => {
    const { manifest } = putImage(repository);
    return { path: 'manifests/v1', content: manifest, expected: fault.manifest };
  },
  'a manifest by tag after a right HEAD': (repository, fault) => {
    const { manifest } = putImage(repository);
    return {
      path: 'manifests/v1',
      content: manifest,
      expected: fault.manifest,
      method: 'GET',
    };
  },
};

/** Tests at a time: all at once would make the machine, not the upstream, the slow one. */
const TURNS = 16;
const turns: Promise<void>[] = [];

/** Resolves when it is the caller's turn, with what ends it. */
async function takeTurn(): Promise<() => void> {
  const { opened, open } = makeGate();
  const before = turns.at(-TURNS);
  turns.push(opened);
  await before;
  return open;
}

for (const [number, fault] of FAULTS.entries()) {
  for (const [position, [way, ask]] of Object.entries(WAYS).entries()) {
    test(`${way} meets ${fault.title}`, async (t) => {
      t.teardown(await takeTurn());
      const repository = `fault/${number}/${position}`;
      const asked = ask(repository, fault);
      const base = mirror.url(`/v2/${mirror.spare()}/${repository}`);
      const url = `${base}/${asked.path}`;
      if (asked.before !== undefined) t.is((await get(`${base}/${asked.before}`)).status, 200);
      const heal = mirror.upstream.faults.add({
        path: `/${repository}/`,
        ...(asked.method === undefined ? {} : { method: asked.method }),
        fault: asked.path.startsWith('blobs/') ? forLayer(fault.fault) : fault.fault,
      });
      const answer = await get(url);
      const isWhole = checkAnswer(t, answer, asked.content);
      if (isWhole && asked.content.mediaType.endsWith('json'))
        t.is(answer.headers['content-type'], asked.content.mediaType);
      checkExpected(t, isWhole, asked.expected);
      if (fault.status !== undefined) t.is(answer.status, fault.status);
      heal();
      // A tag that was not there is not asked for again at once: another tag is.
      const isGone = answer.status === 404 && asked.path === 'manifests/v1';
      if (isGone) mirror.upstream.tag(repository, 'v2', asked.content.digest);
      const asks = mirror.upstream.count(`/${repository}/`);
      const next = await getPatiently(isGone ? `${base}/manifests/v2` : url);
      t.true(checkAnswer(t, next, asked.content), `next: ${next.status}`);
      if (!isWhole) t.true(mirror.upstream.count(`/${repository}/`) > asks);
    });
  }
}
