// `mica layer check`: takes layers apart, makes them again, compares, and tells what they take.

import { CoreChoiceError, parseCoreChoice } from 'mica-core/core-choice';
import type { LoadedCore } from 'mica-core/load-core';
import { formatBytes } from '../admin/page/format-bytes.ts';
import { type CheckedLayer, checkLayer } from './check-layer.ts';
import { startProgress } from './progress.ts';
import { renderTable } from './table.ts';
import {
  type CommandContext,
  EXIT_DONE,
  EXIT_FAILED,
  EXIT_USAGE,
  type ExitCode,
} from './terminal.ts';

export interface LayerCheckOptions {
  readonly json?: boolean | undefined;
}

export async function layerCheck(
  context: CommandContext,
  files: readonly string[],
  options: LayerCheckOptions = {},
): Promise<ExitCode> {
  const { runtime, terminal } = context;
  const loaded = await loadCore(context);
  if (loaded === undefined) return EXIT_USAGE;
  const layers: CheckedLayer[] = [];
  for (const file of files) {
    const progress = startProgress(terminal, file);
    try {
      const onProgress = (done: number, total: number): void => progress.update(done, total);
      layers.push(await checkLayer({ runtime, core: loaded.core, file, onProgress }));
    } finally {
      progress.stop();
    }
  }
  const { flavour } = loaded.core;
  if (options.json) terminal.out(`${JSON.stringify({ core: flavour, layers })}\n`);
  else terminal.out(`${describe(layers)}${flavour} core\n`);
  return layers.every(({ exact }) => exact) ? EXIT_DONE : EXIT_FAILED;
}

/** Says on standard error why there is no core, or not the native one. */
async function loadCore({ runtime, terminal }: CommandContext): Promise<LoadedCore | undefined> {
  try {
    const loaded = await runtime.loadCore(parseCoreChoice(runtime.environment['CORE']));
    const { nativeError } = loaded;
    if (nativeError instanceof Error) terminal.error(`${nativeError.message}\n`);
    return loaded;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    terminal.error(
      error instanceof CoreChoiceError ? `CORE: ${error.message}\n` : `${error.message}\n`,
    );
    return undefined;
  }
}

function describe(layers: readonly CheckedLayer[]): string {
  const head = [
    'file',
    'exact',
    'compressor',
    'layer',
    'tar',
    'recipe',
    'files',
    'ingest',
    'restore',
  ];
  const rows = layers.map((layer) => [
    layer.file,
    layer.exact ? 'yes' : 'no',
    compressorName(layer),
    formatBytes(layer.bytes.compressed),
    formatBytes(layer.bytes.tar),
    share(layer.bytes.recipe, layer.bytes.compressed),
    `${layer.files} (${layer.duplicates} twice)`,
    speed(layer.bytes.tar, layer.seconds.ingest),
    speed(layer.bytes.tar, layer.seconds.restore),
  ]);
  const reasons = layers.flatMap(({ file, reason }) =>
    reason === null ? [] : [`${file}: ${reason}\n`],
  );
  return renderTable(head, rows) + reasons.join('');
}

function compressorName({ compressor, level }: CheckedLayer): string {
  if (compressor === null) return '-';
  return level === null ? compressor : `${compressor} ${level}`;
}

function share(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((part * 100) / whole).toFixed(2)} %`;
}

/** Bytes of tar a second. */
function speed(tar: number, seconds: number): string {
  return seconds === 0 ? '-' : `${(tar / 1e6 / seconds).toFixed(0)} MB/s`;
}
