// What every Index does, as one suite; and a law: it answers as the plain index in memory does.

import type { ExecutionContext, TestFn } from 'ava';
import fc from 'fast-check';
import type { Digest } from '../../src/oci/digest.ts';
import { parseDigest } from '../../src/oci/digest.ts';
import { isTag, type Tag } from '../../src/oci/reference.ts';
import type { Index, ManifestRecord } from '../../src/store/index.ts';
import { MemoryIndex } from '../doubles/memory-index.ts';

export interface IndexUnderTest {
  readonly index: Index;
  /** Closes the index and opens it again; what was written must be there. */
  reopen(): Promise<Index>;
  remove(): Promise<void>;
}

const DEBIAN = 'docker.io/library/debian';
const ALPINE = 'docker.io/library/alpine';

export function digestNumber(number: number): Digest {
  return parseDigest(`sha256:${number.toString(16).padStart(64, '0')}`);
}

function tagNamed(text: string): Tag {
  if (!isTag(text)) throw new Error(`not a tag: ${text}`);
  return text;
}

function manifestOf(children: readonly Digest[]): ManifestRecord {
  return {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    size: 500,
    storedMs: 1000,
    manifests: [],
    blobs: children.map((digest, at) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest,
      size: 100 + at,
    })),
  };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Declares the suite for an implementation; `make` gives an empty index. */
export function testIndex(test: TestFn, name: string, make: () => Promise<IndexUnderTest>): void {
  const check = (title: string, body: (t: ExecutionContext, made: IndexUnderTest) => unknown) =>
    test(`${name}: ${title}`, async (t) => {
      const made = await make();
      try {
        await body(t, made);
      } finally {
        await made.remove();
      }
    });
  testTags(check);
  testManifests(check);
  testAccess(check);
  testLaw(check);
}

type Check = (
  title: string,
  body: (t: ExecutionContext, made: IndexUnderTest) => Promise<void>,
) => void;

function testTags(check: Check): void {
  const record = { digest: digestNumber(1), checkedMs: 5, withCredentials: false };

  check('getTag() gives what putTag() wrote, also after reopening', async (t, made) => {
    await made.index.putTag(DEBIAN, tagNamed('12'), record);
    t.deepEqual(await made.index.getTag(DEBIAN, tagNamed('12')), record);
    t.is(await made.index.getTag(ALPINE, tagNamed('12')), undefined);
    const reopened = await made.reopen();
    t.deepEqual(await reopened.getTag(DEBIAN, tagNamed('12')), record);
  });

  check('removeTag() says whether the tag was there', async (t, { index }) => {
    await index.putTag(DEBIAN, tagNamed('12'), record);
    t.true(await index.removeTag(DEBIAN, tagNamed('12')));
    t.false(await index.removeTag(DEBIAN, tagNamed('12')));
    t.is(await index.getTag(DEBIAN, tagNamed('12')), undefined);
  });

  check('listTags() gives one repository or all, in order', async (t, { index }) => {
    for (const tag of ['b', 'A', 'a1']) await index.putTag(DEBIAN, tagNamed(tag), record);
    await index.putTag(`${DEBIAN}/more`, tagNamed('x'), record);
    await index.putTag(ALPINE, tagNamed('z'), record);
    const tags = (await collect(index.listTags(DEBIAN))).map((entry) => entry.tag as string);
    t.deepEqual(tags, ['A', 'a1', 'b']);
    const all = (await collect(index.listTags())).map((entry) => entry.repository);
    t.deepEqual(all, [ALPINE, DEBIAN, DEBIAN, DEBIAN, `${DEBIAN}/more`]);
  });

  check('listTags() gives every tag when there are more than one page of them', async (t, made) => {
    const names = Array.from({ length: 600 }, (_, at) => `v${String(at).padStart(4, '0')}`);
    await Promise.all(names.map((tag) => made.index.putTag(DEBIAN, tagNamed(tag), record)));
    const tags = (await collect(made.index.listTags(DEBIAN))).map((entry) => entry.tag as string);
    t.deepEqual(tags, names);
  });
}

function testManifests(check: Check): void {
  const [manifest, config, layer] = [digestNumber(1), digestNumber(2), digestNumber(3)];

  check('putManifest() makes the manifest and its children members', async (t, made) => {
    const record = manifestOf([config, layer]);
    await made.index.putManifest(DEBIAN, manifest, record, false);
    const index = await made.reopen();
    t.deepEqual(await index.getManifest(manifest), record);
    t.deepEqual(await index.getMembership(DEBIAN, manifest), { size: 500, shared: false });
    t.deepEqual(await index.getMembership(DEBIAN, layer), { size: 101, shared: false });
    t.is(await index.getMembership(ALPINE, layer), undefined);
    t.deepEqual(await collect(index.listManifests()), [{ digest: manifest, ...record }]);
  });

  check('putMembership() keeps shared and size that are known', async (t, { index }) => {
    await index.putMembership(DEBIAN, layer, { size: 7, shared: true });
    await index.putMembership(DEBIAN, layer, { shared: false });
    t.deepEqual(await index.getMembership(DEBIAN, layer), { size: 7, shared: true });
  });

  check('removeManifest() removes its tags and membership everywhere', async (t, { index }) => {
    const tag = tagNamed('12');
    for (const repository of [DEBIAN, ALPINE]) {
      await index.putManifest(repository, manifest, manifestOf([layer]), true);
      await index.putTag(repository, tag, {
        digest: manifest,
        checkedMs: 1,
        withCredentials: true,
      });
    }
    await index.putTag(DEBIAN, tagNamed('13'), {
      digest: config,
      checkedMs: 1,
      withCredentials: false,
    });
    t.true(await index.removeManifest(manifest));
    t.false(await index.removeManifest(manifest));
    t.deepEqual(
      (await collect(index.listTags())).map((entry) => entry.tag as string),
      ['13'],
    );
    t.is(await index.getMembership(ALPINE, manifest), undefined);
    t.deepEqual(await index.getMembership(ALPINE, layer), { size: 100, shared: true });
  });

  check('removeManifest() leaves a tag that moved to another manifest', async (t, { index }) => {
    const tag = tagNamed('12');
    await index.putTag(DEBIAN, tag, { digest: manifest, checkedMs: 1, withCredentials: false });
    await index.putTag(DEBIAN, tag, { digest: config, checkedMs: 2, withCredentials: false });
    await index.removeManifest(manifest);
    t.is((await index.getTag(DEBIAN, tag))?.digest, config);
  });

  check('findRepository() gives the first that has the content', async (t, { index }) => {
    const digest = digestNumber(1);
    t.is(await index.findRepository(digest), undefined);
    await index.putMembership(DEBIAN, digest, { shared: false });
    await index.putMembership(ALPINE, digest, { shared: true });
    await index.putMembership(`${ALPINE}-other`, digestNumber(2), { shared: true });
    t.is(await index.findRepository(digest), ALPINE);
    await index.removeMembership(ALPINE, digest);
    t.is(await index.findRepository(digest), DEBIAN);
    await index.forget(digest);
    t.is(await index.findRepository(digest), undefined);
  });

  check('listRepositories() gives each repository with content or a tag once', async (t, made) => {
    const { index } = made;
    await index.putManifest(DEBIAN, manifest, manifestOf([config, layer]), true);
    await index.putMembership(`${DEBIAN}-slim`, layer, { shared: true });
    await index.putTag(ALPINE, tagNamed('3'), {
      digest: config,
      checkedMs: 1,
      withCredentials: false,
    });
    t.deepEqual(await collect(index.listRepositories()), [ALPINE, DEBIAN, `${DEBIAN}-slim`]);
  });
}

function testAccess(check: Check): void {
  const layer = digestNumber(3);

  check('removeExpired() removes grants that ended before now', async (t, { index }) => {
    await index.putGrant(DEBIAN, 'a', 10);
    await index.putGrant(DEBIAN, 'b', 20);
    await index.putGrant(DEBIAN, 'c', 30);
    t.is(await index.removeExpired(20), 1);
    const left = await Promise.all(['a', 'b', 'c'].map((who) => index.getGrant(DEBIAN, who)));
    t.deepEqual(left, [0, 20, 30]);
    await index.removeGrant(DEBIAN, 'b');
    t.is(await index.getGrant(DEBIAN, 'b'), 0);
  });

  check('getLastUse() gives the latest touch, also before it is written', async (t, made) => {
    made.index.touch(layer, 50);
    made.index.touch(layer, 40);
    t.is(await made.index.getLastUse(layer), 50);
    const reopened = await made.reopen();
    t.is(await reopened.getLastUse(layer), 50);
    reopened.touch(layer, 45);
    await reopened.flush();
    t.is(await reopened.getLastUse(layer), 50);
    t.is(await reopened.getLastUse(digestNumber(9)), 0);
  });

  check('forget() forgets last use and membership, written or not', async (t, { index }) => {
    await index.putMembership(DEBIAN, layer, { shared: true });
    await index.putMembership(ALPINE, layer, { shared: true });
    index.touch(layer, 50);
    await index.flush();
    index.touch(layer, 60);
    await index.forget(layer);
    await index.flush();
    t.is(await index.getLastUse(layer), 0);
    t.is(await index.getMembership(DEBIAN, layer), undefined);
    t.deepEqual(await collect(index.listRepositories()), []);
  });
}

type Operation = (index: Index) => Promise<unknown>;

/** Few names, so that operations meet. */
const repositories = fc.constantFrom('r.io/a', 'r.io/a/b', 'r.io/a-b', 'r.io/b');
const tags = fc.constantFrom('1', '1.0', 'latest').map(tagNamed);
const digests = fc.integer({ min: 1, max: 5 }).map(digestNumber);
const times = fc.integer({ min: 1, max: 50 });

const operations: fc.Arbitrary<Operation> = fc.oneof(
  fc.tuple(repositories, tags, digests, times, fc.boolean()).map(
    ([repository, tag, digest, checkedMs, withCredentials]): Operation =>
      (index) =>
        index.putTag(repository, tag, { digest, checkedMs, withCredentials }),
  ),
  fc.tuple(repositories, tags).map(
    ([repository, tag]): Operation =>
      (index) =>
        index.removeTag(repository, tag),
  ),
  fc.tuple(repositories, digests, fc.array(digests, { maxLength: 3 }), fc.boolean()).map(
    ([repository, digest, children, shared]): Operation =>
      (index) =>
        index.putManifest(repository, digest, manifestOf(children), shared),
  ),
  digests.map(
    (digest): Operation =>
      (index) =>
        index.removeManifest(digest),
  ),
  fc.tuple(repositories, digests, fc.boolean(), fc.option(times, { nil: undefined })).map(
    ([repository, digest, shared, size]): Operation =>
      (index) =>
        index.putMembership(repository, digest, size === undefined ? { shared } : { shared, size }),
  ),
  fc.tuple(repositories, digests).map(
    ([repository, digest]): Operation =>
      (index) =>
        index.removeMembership(repository, digest),
  ),
  fc.tuple(repositories, fc.constantFrom('x', 'y'), times).map(
    ([repository, who, until]): Operation =>
      (index) =>
        index.putGrant(repository, who, until),
  ),
  times.map(
    (now): Operation =>
      (index) =>
        index.removeExpired(now),
  ),
  fc.tuple(digests, times).map(
    ([digest, now]): Operation =>
      (index) =>
        Promise.resolve(index.touch(digest, now)),
  ),
  digests.map(
    (digest): Operation =>
      (index) =>
        index.forget(digest),
  ),
  fc.constant((index: Index) => index.flush()),
);

/** Everything that an index can be asked about the names above. */
async function everything(index: Index): Promise<object> {
  const names = ['r.io/a', 'r.io/a/b', 'r.io/a-b', 'r.io/b'];
  const ids = [1, 2, 3, 4, 5].map(digestNumber);
  const pairs = names.flatMap((name) => ids.map((id) => ({ name, id })));
  const manifests = await collect(index.listManifests());
  return {
    tags: await collect(index.listTags()),
    manifests: manifests.sort((one, other) => (one.digest < other.digest ? -1 : 1)),
    repositories: await collect(index.listRepositories()),
    members: await Promise.all(pairs.map(({ name, id }) => index.getMembership(name, id))),
    grants: await Promise.all(
      names.flatMap((name) => ['x', 'y'].map((who) => index.getGrant(name, who))),
    ),
    found: await Promise.all(ids.map((id) => index.findRepository(id))),
    uses: await Promise.all(ids.map((id) => index.getLastUse(id))),
  };
}

function testLaw(check: Check): void {
  check('any operations give what they give in memory', async (t, made) => {
    const { index } = made;
    const model = new MemoryIndex();
    const run = async (sequence: readonly Operation[]): Promise<void> => {
      for (const operation of sequence) {
        t.deepEqual(await operation(index), await operation(model));
      }
      t.deepEqual(await everything(index), await everything(model));
    };
    // One index for all runs: what an earlier run left is part of the next one's start.
    await fc.assert(fc.asyncProperty(fc.array(operations, { maxLength: 40 }), run), {
      numRuns: 25,
      endOnFailure: true,
    });
    t.deepEqual(await everything(await made.reopen()), await everything(model));
  });
}
