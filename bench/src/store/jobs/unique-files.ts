// The least that a store of unique files could take if it were nothing but them: every different file
// of the layers once, in the order of the layers, one after the other without gaps, compressed by zstd
// in blocks of their own. Nothing of Mica's has a part in it.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { writeResult } from '../../clients/client.ts';
import { type LayerFile, readLayerFiles } from '../../corpus/layer-files.ts';
import { readJob } from './job-file.ts';

export interface UniqueFilesJob {
  /** Paths of the layers. */
  readonly layers: readonly string[];
  /** Path of a file that is made and removed. */
  readonly temporary: string;
  readonly level: number;
  /** Bytes of plain text. */
  readonly blockSize: number;
}

/** Sizes are bytes. */
export interface UniqueFilesResult {
  readonly files: number;
  readonly uniqueFiles: number;
  readonly uniqueSize: number;
  readonly compressed: number;
}

/** Blocks that are compressed by one call of zstd. */
const blocksAtOnce = 256;

class UniqueFiles {
  readonly #job: UniqueFilesJob;
  readonly #known = new Set<string>();
  /** Plain text that waits to be compressed. */
  #pending: Buffer[] = [];
  #pendingSize = 0;
  #files = 0;
  #uniqueSize = 0;
  #compressed = 0;

  constructor(job: UniqueFilesJob) {
    this.#job = job;
  }

  async addLayer(file: string): Promise<void> {
    await readLayerFiles(file, (read, content) => this.#addFile(read, content));
  }

  finish(): UniqueFilesResult {
    this.#compress(this.#pendingSize);
    return {
      files: this.#files,
      uniqueFiles: this.#known.size,
      uniqueSize: this.#uniqueSize,
      compressed: this.#compressed,
    };
  }

  #addFile({ id, size }: LayerFile, content: readonly Buffer[]): void {
    if (size === 0) {
      return; // It takes nothing.
    }
    this.#files += 1;
    if (this.#known.has(id)) {
      return;
    }
    this.#known.add(id);
    this.#uniqueSize += size;
    for (const piece of content) {
      this.#pending.push(piece);
    }
    this.#pendingSize += size;
    const full = blocksAtOnce * this.#job.blockSize;
    if (this.#pendingSize >= full) {
      this.#compress(this.#pendingSize - (this.#pendingSize % this.#job.blockSize));
    }
  }

  /** Compresses the first `size` bytes of what waits. */
  #compress(size: number): void {
    if (size === 0) {
      return;
    }
    const text = Buffer.concat(this.#pending);
    this.#pending = [text.subarray(size)];
    this.#pendingSize = text.length - size;
    this.#compressed += compressedSize(this.#job, text.subarray(0, size));
  }
}

/** Its benchmark, a single pass of it, is what compresses blocks apart from each other: zstd(1), `-B`. */
function compressedSize({ temporary, level, blockSize }: UniqueFilesJob, text: Buffer): number {
  writeFileSync(temporary, text);
  const command = [`-b${level}`, `-B${blockSize}`, '-i0', '-q', temporary];
  const { stdout, stderr, error } = spawnSync('zstd', command, { encoding: 'utf8' });
  rmSync(temporary);
  const size = /^-\d+\s+(\d+) \(/m.exec(stdout ?? '')?.[1];
  if (size === undefined) {
    throw new Error(`zstd: ${error?.message ?? `${stdout}${stderr}`}`);
  }
  return Number(size);
}

const job = await readJob<UniqueFilesJob>();
const files = new UniqueFiles(job);
for (const layer of job.layers) {
  await files.addLayer(layer);
}
writeResult(files.finish());
