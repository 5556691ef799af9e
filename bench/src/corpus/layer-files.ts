// What files a layer holds: its tar is read as a whole, and each file is hashed.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';

export interface LayerFile {
  /** SHA-256 of the content, base64. */
  readonly id: string;
  readonly size: number;
}

export interface LayerFiles {
  /** Of the tar. */
  readonly tarSize: number;
  /** Regular files, empty ones too, in the layer's order. */
  readonly files: readonly LayerFile[];
}

const fileTypes: readonly string[] = ['File', 'OldFile', 'ContiguousFile'];

/** dockerd writes whiteouts with one; node-tar leaves those entries out, which have no content. */
const harmless = /linkpath forbidden/;

/** Gets the content of each file with it. */
export type TakeContent = (file: LayerFile, content: readonly Buffer[]) => void;

/** Fails on what is not a whole gzip of a tar. */
export async function readLayerFiles(file: string, take?: TakeContent): Promise<LayerFiles> {
  const files: LayerFile[] = [];
  const problems: string[] = [];
  const parser = new Parser({
    brotli: false,
    zstd: false,
    onReadEntry: (entry) => hashEntry(entry, files, take),
    onwarn: (code, message) => problems.push(`${code}: ${String(message)}`),
  });
  const parsed = new Promise<void>((resolve) => {
    parser.on('end', resolve);
  });
  let tarSize = 0;
  await pipeline(createReadStream(file), createGunzip(), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      tarSize += chunk.length;
      // What is read is hashed at once, so that the parser never asks to wait.
      parser.write(chunk);
    }
    parser.end();
    await parsed;
  });
  const problem = problems.find((one) => !harmless.test(one));
  if (problem !== undefined) {
    throw new Error(`${file}: ${problem}`);
  }
  return { tarSize, files };
}

function hashEntry(entry: ReadEntry, files: LayerFile[], take?: TakeContent): void {
  if (!fileTypes.includes(entry.type)) {
    entry.resume();
    return;
  }
  const hash = createHash('sha256');
  const content: Buffer[] = [];
  entry.on('data', (chunk) => {
    hash.update(chunk);
    if (take !== undefined) {
      content.push(chunk);
    }
  });
  entry.on('end', () => {
    const read = { id: hash.digest('base64'), size: entry.size };
    files.push(read);
    take?.(read, content);
  });
}
