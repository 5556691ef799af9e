// Reads traces of IBM's registries as sessions over the corpus: who asks when, and for how much, is the
// trace's; what is asked for is the corpus'. They are told of in Anwar et al.,
// "Improving Docker Registry Design based on Production Workload Analysis", FAST '18.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CorpusImage } from '../corpus/corpus-file.ts';
import { member, parseLine, stringMember } from '../lib/json.ts';
import type { Session } from './trace.ts';

/** A request for a manifest or a blob that was answered. */
export interface TraceRequest {
  readonly timeMs: number;
  /** Who asked, as far as the trace tells. */
  readonly client: string;
  readonly repository: string;
  readonly kind: 'manifest' | 'blob';
  /** Tag or digest, made unrecognizable by who made the trace. */
  readonly reference: string;
}

/** A session without a request for so long has ended. */
const maxIdleMs = 10 * 60_000;

/** Traces run for months; pauses between sessions are cut to this, and gaps of a session too. */
const maxPauseMs = 1500;

/** Requests of all `*.json` files of a folder, in the order of time. */
export async function readIbmTrace(folder: string): Promise<readonly TraceRequest[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  const requests: TraceRequest[] = [];
  for (const name of names.toSorted()) {
    requests.push(...parseIbmTrace(await readFile(join(folder, name), 'utf8')));
  }
  if (requests.length === 0) {
    throw new Error(`${folder}: no request for a manifest or a blob in its ${names.length} files`);
  }
  return requests.toSorted((one, other) => one.timeMs - other.timeMs);
}

/** A file is one list, or has a record a line. What asks for something else is left out. */
export function parseIbmTrace(text: string): readonly TraceRequest[] {
  const whole = parseLine(text);
  const records: readonly unknown[] = Array.isArray(whole)
    ? whole
    : text.split('\n').map(parseLine);
  return records.flatMap((record) => parseRecord(record) ?? []);
}

function parseRecord(record: unknown): TraceRequest | undefined {
  const text = (key: string): string => stringMember(record, key) ?? '';
  const status = member(record, 'http.response.status');
  const timeMs = Date.parse(text('timestamp'));
  const uri = /^\/?v2\/(.+)\/(manifests|blobs)\/([^/?]+)/.exec(text('http.request.uri'));
  const isAnswered = typeof status === 'number' && status >= 200 && status < 400;
  if (uri === null || !isAnswered || Number.isNaN(timeMs)) {
    return undefined;
  }
  if (text('http.request.method') !== 'GET') {
    return undefined;
  }
  const [, repository = '', kind, reference = ''] = uri;
  // Some traces have no address; then clients of one kind at one host count as one.
  const from = text('http.request.remoteaddr') || text('http.request.useragent');
  return {
    ...{ timeMs, repository, reference, client: `${text('host')} ${from}` },
    kind: kind === 'manifests' ? 'manifest' : 'blob',
  };
}

export interface OpenSession {
  readonly startMs: number;
  readonly client: string;
  readonly repository: string;
  lastMs: number;
  firstBlobMs: number | undefined;
  readonly blobs: string[];
}

/** A manifest and the blobs of its repository that the same client then asks for. */
export function listSessions(requests: readonly TraceRequest[]): readonly OpenSession[] {
  const open = new Map<string, OpenSession>();
  const all: OpenSession[] = [];
  for (const { timeMs, client, repository, kind, reference } of requests) {
    const key = JSON.stringify([client, repository]);
    const known = open.get(key);
    if (kind === 'manifest') {
      const begun = {
        ...{ startMs: timeMs, lastMs: timeMs, client, repository },
        ...{ firstBlobMs: undefined, blobs: [] },
      };
      open.set(key, begun);
      all.push(begun);
    } else if (known !== undefined && timeMs - known.lastMs <= maxIdleMs) {
      known.firstBlobMs ??= timeMs;
      known.lastMs = timeMs;
      known.blobs.push(reference);
    }
  }
  return all;
}

/**
 * Repositories become images by how often they are pulled: the first one the first image, and anew from
 * the first when there are no more. Of an image as many layers are asked for as the session asked blobs.
 */
export function mapSessions(
  opened: readonly OpenSession[],
  images: readonly CorpusImage[],
  limit: number,
): readonly Session[] {
  const imageOf = rankRepositories(opened, images);
  const clients = new Map<string, number>();
  const sessions: Session[] = [];
  let [startMs, lastMs] = [0, opened[0]?.startMs ?? 0];
  for (const session of opened.slice(0, limit)) {
    startMs += Math.min(maxPauseMs, session.startMs - lastMs);
    lastMs = session.startMs;
    const image = imageOf.get(session.repository);
    if (image === undefined) {
      continue;
    }
    const client = clients.get(session.client) ?? clients.size;
    clients.set(session.client, client);
    const gapMs = Math.min(maxPauseMs, (session.firstBlobMs ?? session.startMs) - session.startMs);
    const digests = [...new Set(image.layers.map(({ digest }) => digest))];
    // One of the blobs is the config.
    const layers = digests.slice(0, Math.max(0, new Set(session.blobs).size - 1));
    sessions.push({ startMs, client, manifest: image.manifest, gapMs, layers });
  }
  return sessions;
}

function rankRepositories(
  opened: readonly OpenSession[],
  images: readonly CorpusImage[],
): ReadonlyMap<string, CorpusImage> {
  const counts = new Map<string, number>();
  for (const { repository } of opened) {
    counts.set(repository, (counts.get(repository) ?? 0) + 1);
  }
  const ranked = [...counts].toSorted(([, one], [, other]) => other - one);
  return new Map(
    ranked.flatMap(([repository], rank) => {
      const image = images[rank % images.length];
      return image === undefined ? [] : [[repository, image] as const];
    }),
  );
}
