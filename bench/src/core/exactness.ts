// Whether layers come back to the bit, and what is kept to make them again.
import { createHash } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Core, type IngestedLayer, isCoreError } from 'mica-core/core';
import { hashFile } from 'mica-core/streams/cache';
import type { Stream } from 'mica-core/streams/streams';
import { startProgress } from '../lib/progress.ts';
import { speedLayers } from './corpus.ts';
import { keepLayer, openKeptLayer } from './kept-layer.ts';

/** A layer that cannot be made again is refused with it, and stays whole. */
const refusal = 'RESTORE_INEXACT';

/** Bytes of the range that is compared beside the whole layer. */
const rangeSize = 100_000;

/** A layer by a compressor. */
export interface Cell {
  readonly stream: Stream;
  readonly outcome: 'exact' | 'refused' | 'wrong';
  /** What is wrong. */
  readonly problem?: string;
  /** Unless it was refused or could not be taken apart. */
  readonly ingested?: IngestedLayer;
}

/** Bytes of raw segments that a layer may have and still count as made by its model, as a share. */
const maxRawRatio = 0.01;

/**
 * Whether a model makes the layer. Else its segments are only copied, and its figures say nothing
 * about models.
 */
export function isByModel({ summary, sectionSizes }: IngestedLayer): boolean {
  return sectionSizes.raw <= summary.size * maxRawRatio;
}

/** Those with figures of their own: whole layers, or, without any, samples of those for speed. */
export function listMeasured(cells: readonly Cell[]): readonly Cell[] {
  const full = cells.filter(({ stream }) => stream.layer.size === 'full');
  return full.length > 0
    ? full
    : cells.filter(({ stream }) => speedLayers.includes(stream.layer.name));
}

/** Takes every stream apart, makes it again, and compares; files go to `folder` and are removed. */
export async function checkExactness(
  core: Core,
  streams: readonly Stream[],
  folder: string,
): Promise<readonly Cell[]> {
  const progress = startProgress('restoring layer', streams.length);
  const cells: Cell[] = [];
  for (const stream of streams) {
    const { layer, compressor } = stream;
    const own = await mkdtemp(join(folder, 'cell-'));
    cells.push(await checkCell(core, stream, own));
    await rm(own, { recursive: true });
    progress.step(`${layer.name} ${layer.size}, ${compressor.name}`);
  }
  progress.end();
  return cells;
}

async function checkCell(core: Core, stream: Stream, folder: string): Promise<Cell> {
  try {
    const { kept, ingested } = await keepLayer(core, stream.file, folder);
    const problem =
      (await compareSummary(stream, ingested)) ??
      (await compareBytes(await openKeptLayer(core, kept), stream));
    if (problem === undefined) {
      return { stream, outcome: 'exact', ingested };
    }
    return { stream, outcome: 'wrong', problem, ingested };
  } catch (error) {
    if (isCoreError(error) && error.code === refusal && stream.compressor.format !== 'gzip') {
      return { stream, outcome: 'refused' };
    }
    const code = isCoreError(error) ? `${error.code}: ` : '';
    return { stream, outcome: 'wrong', problem: `${code}${String(error)}` };
  }
}

/** What is wrong, if anything. */
async function compareSummary(
  stream: Stream,
  { summary }: IngestedLayer,
): Promise<string | undefined> {
  const digest = `sha256:${await hashFile(stream.file)}`;
  if (summary.digest !== digest) {
    return `digest ${summary.digest}, not ${digest}`;
  }
  const diffId = `sha256:${stream.layer.digest}`;
  return summary.diffId === diffId ? undefined : `DiffID ${summary.diffId}, not ${diffId}`;
}

/** What is wrong, if anything. */
async function compareBytes(
  restoration: Awaited<ReturnType<typeof openKeptLayer>>,
  stream: Stream,
): Promise<string | undefined> {
  const sha256 = createHash('sha256');
  for await (const piece of restoration.read()) {
    sha256.update(piece);
  }
  const digest = `sha256:${sha256.digest('hex')}`;
  if (digest !== restoration.summary.digest) {
    return `restored ${digest}, not ${restoration.summary.digest}`;
  }
  const start = Math.floor(stream.length / 2);
  const pieces: Uint8Array[] = [];
  for await (const piece of restoration.read({ start, end: start + rangeSize })) {
    pieces.push(piece.slice());
  }
  const file = await open(stream.file);
  const { bytesRead, buffer } = await file.read(Buffer.alloc(rangeSize), 0, rangeSize, start);
  await file.close();
  const isRight = Buffer.concat(pieces).equals(buffer.subarray(0, bytesRead));
  return isRight ? undefined : `range from ${start} differs`;
}
