// `mica verify [--repair] [--json]`: hashes all that is stored again.

import { type Damage, type VerifyReport, verifyStore } from '../store/verify-store.ts';
import { formatBytes } from './format-bytes.ts';
import { printJson, withStore } from './open-store.ts';
import { startProgress } from './progress.ts';
import { renderTable } from './table.ts';
import {
  type CommandContext,
  EXIT_DONE,
  EXIT_FAILED,
  type ExitCode,
  type Terminal,
} from './terminal.ts';

export interface VerifyOptions {
  /** Takes away what is wrong, so that it is fetched again. */
  readonly repair?: boolean;
  readonly json?: boolean;
}

/** Fails when damage was found that is still there. */
export function verify(context: CommandContext, options: VerifyOptions): Promise<ExitCode> {
  const { runtime, terminal } = context;
  return withStore(context, async ({ config, store, index }) => {
    const progress = startProgress(terminal, 'verify');
    const report = await verifyStore({
      store,
      index,
      runtime,
      folder: config.data,
      repair: options.repair === true,
      onProgress: (done, total) => progress.update(done, total),
    }).finally(() => progress.stop());
    if (options.json === true) printJson(terminal, report);
    else print(terminal, report);
    return report.damage.every((damage) => damage.isRepaired) ? EXIT_DONE : EXIT_FAILED;
  });
}

function print(terminal: Terminal, report: VerifyReport): void {
  const { blobs, bytes, manifests, damage } = report;
  terminal.out(`checked ${blobs} blobs (${formatBytes(bytes)}) and ${manifests} manifests\n`);
  if (damage.length === 0) {
    terminal.out('everything is whole\n');
    return;
  }
  terminal.out(renderTable(['damage', 'what', 'state'], damage.map(describe)));
  const left = damage.filter(({ kind, isRepaired }) => kind !== 'unreadable' && !isRepaired).length;
  if (left > 0) terminal.out(`mica verify --repair takes away ${left} of them\n`);
}

function describe({ kind, subject, reason, isRepaired }: Damage): string[] {
  const what = reason === undefined ? subject : `${subject} (${reason})`;
  return [kind, what, isRepaired ? 'repaired' : 'found'];
}
