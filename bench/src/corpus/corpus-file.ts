// corpus.json: which images a corpus folder holds. It is written last, so a folder without it is a
// build that was cut off.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { member, parseLine, stringMember } from '../lib/json.ts';

/** What an image was pushed with, and so what compressed its layers. */
export type CorpusTool = 'dockerd' | 'buildah' | 'crane';

export interface CorpusLayer {
  readonly digest: string;
  /** Compressed. */
  readonly size: number;
  readonly mediaType: string;
}

export interface CorpusImage {
  readonly repository: string;
  readonly tag: string;
  readonly family: string;
  readonly tool: CorpusTool;
  /** Digest. */
  readonly manifest: string;
  readonly layers: readonly CorpusLayer[];
}

export class CorpusError extends Error {
  readonly code = 'CORPUS_INVALID';
}

const formatVersion = 1;
const tools: readonly CorpusTool[] = ['dockerd', 'buildah', 'crane'];
const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** The folder that distribution serves: its storage driver's `rootdirectory`. */
export function registryFolder(folder: string): string {
  return join(folder, 'registry');
}

/** Where distribution keeps a blob: `pathFor` in its registry/storage/paths.go. */
export function blobFile(folder: string, digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  const blobs = join(registryFolder(folder), 'docker/registry/v2/blobs');
  return join(blobs, algorithm, hex.slice(0, 2), hex, 'data');
}

export function corpusFile(folder: string): string {
  return join(folder, 'corpus.json');
}

/** Fails when the folder is not a whole corpus. */
export async function loadCorpus(folder: string): Promise<readonly CorpusImage[]> {
  const file = corpusFile(folder);
  try {
    return parseCorpus(await readFile(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CorpusError(`${file}: ${reason}; \`npm run bench -- corpus ${folder}\` makes it`, {
      cause: error,
    });
  }
}

/** Writes the file as a whole or not at all. */
export async function saveCorpus(folder: string, images: readonly CorpusImage[]): Promise<void> {
  const file = corpusFile(folder);
  const corpus = { version: formatVersion, images };
  await writeFile(`${file}.new`, `${JSON.stringify(corpus, null, 1)}\n`);
  await rename(`${file}.new`, file);
}

/** Fails on text that is not a corpus file of this version. */
export function parseCorpus(text: string): readonly CorpusImage[] {
  const corpus = parseLine(text);
  const version = member(corpus, 'version');
  if (version !== formatVersion) {
    throw new CorpusError(`version ${formatVersion} is wanted, got ${JSON.stringify(version)}`);
  }
  return parseList(corpus, 'images').map(parseImage);
}

function parseImage(value: unknown): CorpusImage {
  const tool = tools.find((one) => one === member(value, 'tool'));
  if (tool === undefined) {
    throw new CorpusError(`"tool" is none of ${tools.join(', ')}`);
  }
  return {
    repository: parseText(value, 'repository'),
    tag: parseText(value, 'tag'),
    family: parseText(value, 'family'),
    tool,
    manifest: parseDigest(value, 'manifest'),
    layers: parseList(value, 'layers').map(parseLayer),
  };
}

function parseLayer(value: unknown): CorpusLayer {
  const size = member(value, 'size');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new CorpusError('"size" is not a number of bytes');
  }
  return {
    digest: parseDigest(value, 'digest'),
    size,
    mediaType: parseText(value, 'mediaType'),
  };
}

function parseList(value: unknown, key: string): readonly unknown[] {
  const list = member(value, key);
  if (!Array.isArray(list)) {
    throw new CorpusError(`"${key}" is not a list`);
  }
  return list;
}

function parseText(value: unknown, key: string): string {
  const text = stringMember(value, key);
  if (text === undefined || text === '') {
    throw new CorpusError(`"${key}" is not a text`);
  }
  return text;
}

function parseDigest(value: unknown, key: string): string {
  const digest = parseText(value, key);
  if (!digestPattern.test(digest)) {
    throw new CorpusError(`"${key}" is not a SHA-256 digest`);
  }
  return digest;
}
