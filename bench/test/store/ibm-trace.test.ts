import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
  listSessions,
  mapSessions,
  parseIbmTrace,
  readIbmTrace,
} from '../../src/store/ibm-trace.ts';
import { digestOf, imageOf } from './images.ts';

const start = Date.parse('2017-06-20T02:40:00.000Z');

interface Asked {
  readonly second: number;
  readonly uri: string;
  readonly client?: string;
  readonly method?: string;
  readonly status?: number;
}

/** A record as the traces have it. */
const record = ({ second, uri, client = 'a', method = 'GET', status = 200 }: Asked) => ({
  host: '579633fd',
  'http.request.duration': 0.02,
  'http.request.method': method,
  'http.request.remoteaddr': client,
  'http.request.uri': uri,
  'http.request.useragent': 'docker/17.03.1-ce',
  'http.response.status': status,
  'http.response.written': 1518,
  id: '9f63984h',
  timestamp: new Date(start + second * 1000).toISOString(),
});

const manifest = (second: number, repository: string, client = 'a'): Asked => ({
  ...{ second, client, uri: `v2/${repository}/manifests/latest` },
});

const blob = (second: number, repository: string, name: string, client = 'a'): Asked => ({
  ...{ second, client, uri: `v2/${repository}/blobs/${name}` },
});

const parse = (asked: readonly Asked[]) => parseIbmTrace(JSON.stringify(asked.map(record)));

test('parseIbmTrace() takes answered GETs of manifests and blobs, and nothing else', (t) => {
  const requests = parse([
    manifest(0, 'o/r'),
    { second: 1, uri: 'v2/o/r/manifests/latest', method: 'HEAD' },
    { second: 2, uri: 'v2/o/r/manifests/latest', method: 'PUT', status: 201 },
    { second: 3, uri: 'v2/o/r/blobs/x', status: 404 },
    { second: 4, uri: 'v2/' },
    blob(5, 'o/r', 'y'),
  ]);
  t.deepEqual(
    requests.map(({ kind, repository, reference }) => [kind, repository, reference]),
    [
      ['manifest', 'o/r', 'latest'],
      ['blob', 'o/r', 'y'],
    ],
  );
});

test('parseIbmTrace() reads a record a line too, and leaves out what is none', (t) => {
  const lines = [JSON.stringify(record(manifest(0, 'o/r'))), 'no JSON', '17', 'null', '{}'];
  t.is(parseIbmTrace(lines.join('\n')).length, 1);
});

test('listSessions() gives a client its own blobs of the repository that it began with', (t) => {
  const sessions = listSessions(
    parse([
      manifest(0, 'o/r'),
      manifest(0, 'o/r', 'b'),
      blob(2, 'o/r', 'x'),
      blob(2, 'o/other', 'y'),
      blob(3, 'o/r', 'z', 'b'),
      blob(3600, 'o/r', 'late'),
    ]),
  );
  t.deepEqual(
    sessions.map(({ client, blobs }) => [client.at(-1), blobs]),
    [
      ['a', ['x']],
      ['b', ['z']],
    ],
  );
});

test('mapSessions() gives the most pulled repository the first image, and as many layers as were asked', (t) => {
  const images = [imageOf('first', ['l1', 'l2', 'l3']), imageOf('second', ['m1'])];
  const opened = listSessions(
    parse([
      manifest(0, 'rare'),
      ...[blob(0.5, 'rare', 'config'), blob(0.5, 'rare', 'one'), blob(0.6, 'rare', 'two')],
      manifest(100, 'often', 'b'),
      ...[blob(101, 'often', 'config', 'b'), blob(101, 'often', 'one', 'b')],
      manifest(101, 'often'),
    ]),
  );
  const sessions = mapSessions(opened, images, 10);
  t.deepEqual(sessions, [
    {
      startMs: 0,
      client: 0,
      manifest: digestOf('manifest-second'),
      gapMs: 500,
      layers: [digestOf('m1')],
    },
    {
      startMs: 1500,
      client: 1,
      manifest: digestOf('manifest-first'),
      gapMs: 1000,
      layers: [digestOf('l1')],
    },
    { startMs: 2500, client: 0, manifest: digestOf('manifest-first'), gapMs: 0, layers: [] },
  ]);
  t.is(mapSessions(opened, images, 1).length, 1);
});

test('readIbmTrace() puts the requests of all files in order, and refuses a folder without any', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mica-trace-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await t.throwsAsync(readIbmTrace(folder), { message: /no request/ });
  await writeFile(join(folder, 'a.json'), JSON.stringify([record(manifest(9, 'late'))]));
  await writeFile(join(folder, 'b.json'), JSON.stringify([record(manifest(1, 'early'))]));
  const requests = await readIbmTrace(folder);
  t.deepEqual(
    requests.map(({ repository }) => repository),
    ['early', 'late'],
  );
});
