// `mica stats [--json]`: what the running server says of itself; else what the data folder tells.

import { formatBytes } from '../admin/page/format-bytes.ts';
import type { Config } from '../config/config.ts';
import { formatQuota } from '../config/size.ts';
import { readLayerStats } from '../dedup/layer-stats.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { measureDisk } from '../store/disk-usage.ts';
import { resolveQuota } from '../store/quota.ts';
import { measureUsage, type Usage } from '../store/usage.ts';
import { describeStats } from './describe-stats.ts';
import { localAddress } from './local-address.ts';
import { describeError, printJson, withConfig, withStore } from './open-store.ts';
import { renderTable } from './table.ts';
import { type CommandContext, EXIT_DONE, type ExitCode, type Terminal } from './terminal.ts';

export interface StatsOptions {
  readonly json?: boolean;
}

/** The server is on this machine: longer than this it is not busy but gone. */
const ANSWER_TIMEOUT_MS = 5000;

export function stats(context: CommandContext, options: StatsOptions): Promise<ExitCode> {
  const { terminal } = context;
  return withConfig(context, async (config) => {
    const answer = await askServer(config, '/stats');
    if ('reason' in answer) return await printFolder(context, options, answer.reason);
    if (options.json === true) {
      printJson(terminal, { running: true, ...answer.value });
      return EXIT_DONE;
    }
    // A server that does not tell of images tells the rest.
    const images = await askServer(config, '/stats/images');
    terminal.out(describeStats({ ...answer.value, ...('value' in images ? images.value : {}) }));
    return EXIT_DONE;
  });
}

async function askServer(
  config: Config,
  path: string,
): Promise<{ value: object } | { reason: string }> {
  const url = `http://${localAddress(config.admin)}${path}`;
  try {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const response = await fetch(url, { signal, headers: { accept: 'application/json' } });
    if (!response.ok) return { reason: `${url} answers ${response.status}` };
    const value: unknown = await response.json();
    if (typeof value === 'object' && value !== null) return { value };
    return { reason: `${url} does not answer as Mica does` };
  } catch (error) {
    return { reason: `${url}: ${describeError(error)}` };
  }
}

function printFolder(
  context: CommandContext,
  options: StatsOptions,
  reason: string,
): Promise<ExitCode> {
  const { terminal, runtime } = context;
  if (options.json !== true)
    terminal.error(`no server answers (${reason}); from the data folder:\n`);
  return withStore(context, async ({ config, store, index, tier }) => {
    const usage = await measureUsage(store, index);
    const limit = await limitOf(config, runtime, usage);
    const { blobs: whole, files } = tier.folder;
    const stored = await measureDisk(runtime.files, config.data);
    const layers = await readLayerStats({ whole, index: files, stored });
    if (options.json === true) {
      const prediction = { made: 0, used: 0, wasted: 0 };
      const idle = { restores: { count: 0, seconds: 0 }, fills: { running: 0 }, prediction };
      const { data } = config;
      printJson(terminal, { running: false, reason, data, ...layers, ...idle, limit, usage });
      return EXIT_DONE;
    }
    printUsage(terminal, config, usage, limit);
    terminal.out(`\n${describeStats(layers)}`);
    return EXIT_DONE;
  });
}

async function limitOf(config: Config, runtime: Runtime, usage: Usage): Promise<number> {
  const disk = await runtime.files.space(config.data);
  const used = usage.blobs.allocated + usage.partials.allocated;
  return resolveQuota(config.quota, disk, used);
}

function printUsage(terminal: Terminal, config: Config, usage: Usage, limit: number): void {
  const { blobs, partials, images, manifests, tags, repositories } = usage;
  const rows = [
    ['data', config.data],
    ['quota', `${formatQuota(config.quota)}, at present ${formatBytes(limit)}`],
    ['blobs', `${blobs.count}, ${formatBytes(blobs.bytes)}`],
    ['on the disk', formatBytes(blobs.allocated + partials.allocated)],
    ['partial blobs', `${partials.count}, ${formatBytes(partials.bytes)}`],
    ['images', String(images)],
    ['manifests', String(manifests)],
    ['tags', String(tags)],
    ['repositories', String(repositories)],
  ];
  terminal.out(renderTable([], rows));
}
