// Tag lists and referrers: passed through page by page, and kept for when the upstream is gone.

import test from 'ava';
import { errorCode, get, json, type Received } from './client.ts';
import { startMirror } from './mirror.ts';

const mirror = await startMirror({ registry: { pageSize: 3 } });
const bare = await startMirror({ registry: { referrers: false } });
test.after.always(() => mirror.stop());
test.after.always(() => bare.stop());

/** The path and query of the next page. */
function nextPage(answer: Received): string | undefined {
  const match = /^<([^>]+)>; ?rel="?next"?$/.exec(String(answer.headers['link'] ?? ''));
  if (match?.[1] === undefined) return undefined;
  const url = new URL(match[1], 'http://relative');
  return `${url.pathname}${url.search}`;
}

/** All pages, following Link from a first path. */
async function pages(path: string): Promise<Received[]> {
  const answers: Received[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const answer: Received = await get(mirror.url(next));
    answers.push(answer);
    next = nextPage(answer);
  }
  return answers;
}

function putTags(repository: string, tags: readonly string[]): void {
  const { manifest } = mirror.upstream.putImage({ repository, seed: repository });
  for (const tag of tags) mirror.upstream.tag(repository, tag, manifest.digest);
}

test('a tag list is paged as the upstream pages it', async (t) => {
  putTags('tags/paged', ['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  const answers = await pages('/v2/tags/paged/tags/list');
  t.deepEqual(
    answers.map((answer) => json(answer)),
    [
      { name: 'tags/paged', tags: ['a', 'b', 'c'] },
      { name: 'tags/paged', tags: ['d', 'e', 'f'] },
      { name: 'tags/paged', tags: ['g'] },
    ],
  );
  t.is(answers[0]?.headers['content-type'], 'application/json');
});

test('n and last of a tag list are passed on', async (t) => {
  putTags('tags/query', ['a', 'b', 'c', 'd']);
  const answer = await get(mirror.url('/v2/tags/query/tags/list?n=2&last=a'));
  t.deepEqual(json(answer)['tags'], ['b', 'c']);
  t.regex(String(nextPage(answer)), /\/v2\/tags\/query\/tags\/list\?.*last=c/);
});

test('Link of a tag list asked for by path prefix and ns leads to the same place', async (t) => {
  putTags('tags/prefix', ['a', 'b', 'c', 'd']);
  for (const [first, expected] of [
    ['/v2/up.test/tags/prefix/tags/list', /<\/v2\/up\.test\/tags\/prefix\/tags\/list\?/],
    ['/v2/tags/prefix/tags/list?ns=up.test', /[?&]ns=up\.test/],
  ] as const) {
    const answers = await pages(first);
    t.deepEqual(
      answers.flatMap((answer) => json(answer)['tags']),
      ['a', 'b', 'c', 'd'],
    );
    t.regex(String(answers[0]?.headers['link']), expected);
  }
});

test('a name in a tag list asked for by prefix is the one asked for or the upstream’s', async (t) => {
  putTags('tags/name', ['a']);
  const answer = json(await get(mirror.url('/v2/up.test/tags/name/tags/list')));
  t.true(['tags/name', 'up.test/tags/name'].includes(String(answer['name'])));
});

test('n that is no number is refused with nothing contacted', async (t) => {
  for (const query of ['n=x', 'n=-1', 'n=1e3']) {
    const answer = await get(mirror.url(`/v2/tags/bad/tags/list?${query}`));
    t.is(answer.status, 400, query);
    t.is(typeof errorCode(answer), 'string');
  }
  t.is(mirror.upstream.count('/tags/bad/'), 0);
});

test('a tag list is cached and served with the upstream gone', async (t) => {
  putTags('tags/cached', ['a', 'b']);
  const url = mirror.url('/v2/tags/cached/tags/list');
  const first = await get(url);
  const asked = mirror.upstream.count('/tags/cached/');
  t.deepEqual((await get(url)).body, first.body);
  t.is(mirror.upstream.count('/tags/cached/'), asked);
  mirror.upstream.faults.add({ path: '/tags/cached/', fault: { kind: 'reset', after: 0 } });
  t.deepEqual((await get(url)).body, first.body);
});

test('tags of a repository that does not exist are NAME_UNKNOWN', async (t) => {
  const answer = await get(mirror.url('/v2/tags/none/tags/list'));
  t.is(answer.status, 404);
  t.is(errorCode(answer), 'NAME_UNKNOWN');
});

test('referrers are passed on page by page', async (t) => {
  const repository = 'referrers/paged';
  const subject = mirror.upstream.putImage({ repository, seed: 's', tag: 'v1' }).manifest;
  const digests = ['1', '2', '3', '4', '5'].map(
    (seed) =>
      mirror.upstream.putImage({ repository, seed, subject, artifactType: 'type/x' }).manifest
        .digest,
  );
  const answers = await pages(`/v2/${repository}/referrers/${subject.digest}`);
  t.is(answers.length, 2);
  for (const answer of answers)
    t.is(answer.headers['content-type'], 'application/vnd.oci.image.index.v1+json');
  const found = answers.flatMap((answer) => json(answer)['manifests'] as { digest: string }[]);
  t.deepEqual(new Set(found.map(({ digest }) => digest)), new Set(digests));
  t.is(found.length, digests.length);
});

test('referrers are filtered by artifactType with OCI-Filters-Applied', async (t) => {
  const repository = 'referrers/filter';
  const subject = mirror.upstream.putImage({ repository, seed: 's', tag: 'v1' }).manifest;
  for (const seed of ['a', 'b'])
    mirror.upstream.putImage({ repository, seed, subject, artifactType: `type/${seed}` });
  const url = mirror.url(`/v2/${repository}/referrers/${subject.digest}`);
  const answer = await get(`${url}?artifactType=${encodeURIComponent('type/b')}`);
  t.is(answer.headers['oci-filters-applied'], 'artifactType');
  const found = json(answer)['manifests'] as { artifactType: string }[];
  t.deepEqual(
    found.map(({ artifactType }) => artifactType),
    ['type/b'],
  );
  t.is((json(await get(url))['manifests'] as unknown[]).length, 2);
});

test('no referrers are an empty index with 200 where the upstream has the API', async (t) => {
  const { manifest } = mirror.upstream.putImage({ repository: 'referrers/none', seed: 'n' });
  const answer = await get(mirror.url(`/v2/referrers/none/referrers/${manifest.digest}`));
  t.is(answer.status, 200);
  t.deepEqual(json(answer)['manifests'], []);
});

test('404 is passed on where the upstream has no referrers API', async (t) => {
  const { manifest } = bare.upstream.putImage({ repository: 'referrers/bare', seed: 'n' });
  const answer = await get(bare.url(`/v2/referrers/bare/referrers/${manifest.digest}`));
  t.is(answer.status, 404);
  t.is(typeof errorCode(answer), 'string');
});

test('referrers of a malformed digest are DIGEST_INVALID', async (t) => {
  const answer = await get(mirror.url('/v2/referrers/bad/referrers/sha256:1'));
  t.is(answer.status, 400);
  t.is(errorCode(answer), 'DIGEST_INVALID');
  t.is(mirror.upstream.count('referrers/bad'), 0);
});
