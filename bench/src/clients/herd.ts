// Many clients that ask for the same blob at the same moment, each over a connection of its own.
// Each compares all it gets with the right bytes: hashing them 32 times would take as much of the
// processor as the server under test.
import { readFile } from 'node:fs/promises';
import type { Content } from '../lib/content.ts';
import { BodyReader } from './body-reader.ts';
import { readOptions, writeResult } from './client.ts';
import { fetchChecked } from './fetch-blob.ts';

export interface HerdOptions {
  readonly url: string;
  /** Asked for once before the start, as every engine does before it asks for layers. */
  readonly manifest: {
    readonly url: string;
    readonly content: Content;
    readonly accept: string;
  };
  readonly content: Content;
  readonly clients: number;
}

export interface HerdResult {
  /** Of each client, from the common start to its last right byte, or to its failure. */
  readonly seconds: readonly number[];
  readonly wrong: readonly string[];
}

/** Reads the body once; what is wrong with it, undefined when nothing is. */
function readOnce({ url, content }: HerdOptions, right: Buffer): Promise<string | undefined> {
  return new Promise((resolve) => {
    let problem: string | undefined;
    const reader = new BodyReader(
      { url, accept: '*/*', size: content.size },
      {
        onPiece: (piece, position) => {
          if (!piece.equals(right.subarray(position, position + piece.length))) {
            problem ??= `${url}: other bytes at ${position}`;
          }
        },
        onEnd: () => {
          reader.close();
          resolve(problem);
        },
        onProblem: (text) => resolve(`${url}: ${text}`),
      },
    );
    reader.ask();
  });
}

async function pullAll(options: HerdOptions): Promise<HerdResult> {
  const { manifest, content, clients } = options;
  const right = await readFile(content.file);
  const problem = await fetchChecked(manifest.url, manifest.content, { accept: manifest.accept });
  const startedAt = performance.now();
  const one = async (): Promise<{ seconds: number; wrong: string | undefined }> => {
    const wrong = await readOnce(options, right);
    return { seconds: (performance.now() - startedAt) / 1e3, wrong };
  };
  const all = await Promise.all(Array.from({ length: clients }, one));
  return {
    seconds: all.map(({ seconds }) => seconds),
    wrong: [problem, ...all.map(({ wrong }) => wrong)].filter((text) => text !== undefined),
  };
}

writeResult(await pullAll(readOptions<HerdOptions>()));
process.exit(0);
