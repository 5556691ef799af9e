// Many clients that ask for the same blob at the same moment, each over a connection of its own;
// each hashes all it gets.
import { Agent } from 'undici';
import type { Content } from '../lib/content.ts';
import { readOptions, writeResult } from './client.ts';
import { fetchChecked } from './fetch-blob.ts';

export interface HerdOptions {
  readonly url: string;
  /** Asked for once before the start, as every engine does before it asks for layers. */
  readonly manifest: {
    readonly url: string;
    readonly content: Pick<Content, 'digest' | 'size'>;
    readonly accept: string;
  };
  readonly content: Pick<Content, 'digest' | 'size'>;
  readonly clients: number;
}

export interface HerdResult {
  /** Of each client, from the common start to its last verified byte. */
  readonly seconds: readonly number[];
  readonly wrong: readonly string[];
}

async function pullAll({ url, manifest, content, clients }: HerdOptions): Promise<HerdResult> {
  const problem = await fetchChecked(manifest.url, manifest.content, { accept: manifest.accept });
  const startedAt = performance.now();
  const one = async (): Promise<{ seconds: number; wrong: string | undefined }> => {
    const dispatcher = new Agent({ connections: 1 });
    const wrong = await fetchChecked(url, content, { dispatcher });
    const seconds = (performance.now() - startedAt) / 1e3;
    await dispatcher.close();
    return { seconds, wrong };
  };
  const all = await Promise.all(Array.from({ length: clients }, one));
  return {
    seconds: all.map(({ seconds }) => seconds),
    wrong: [problem, ...all.map(({ wrong }) => wrong)].filter((text) => text !== undefined),
  };
}

writeResult(await pullAll(readOptions<HerdOptions>()));
