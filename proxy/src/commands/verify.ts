// `mica verify [--repair] [--json]`: hashes all that is stored again, makes all layers again, and counts anew.

import { formatBytes } from '../admin/page/format-bytes.ts';
import type { Tier } from '../dedup/open-tier.ts';
import { verifyLayers } from '../dedup/verify-layers.ts';
import { type VerifiedPacks, verifyPacks } from '../dedup/verify-packs.ts';
import { type Damage, type VerifyReport, verifyStore } from '../store/verify-store.ts';
import { type OpenedStore, printJson, withStore } from './open-store.ts';
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
  /** Takes away what is wrong, so that it is fetched again, and corrects what is miscounted. */
  readonly repair?: boolean;
  readonly json?: boolean;
}

interface Report extends VerifyReport {
  /** Layers that were made again. */
  readonly recipes: number;
  /** Packs that were read. */
  readonly packs: number;
}

/** Fails when damage was found that is still there. */
export function verify(context: CommandContext, options: VerifyOptions): Promise<ExitCode> {
  const { terminal } = context;
  const work = async (opened: OpenedStore): Promise<ExitCode> => {
    const report = await verifyAll(context, opened, options.repair === true);
    if (options.json === true) printJson(terminal, report);
    else print(terminal, report);
    return report.damage.every((damage) => damage.isRepaired) ? EXIT_DONE : EXIT_FAILED;
  };
  return withStore(context, work, { needsCore: true });
}

async function verifyAll(
  { runtime, terminal }: CommandContext,
  { config, store, index, tier }: OpenedStore,
  repair: boolean,
): Promise<Report> {
  const packs = await verifyAllPacks(tier, repair);
  const progress = startProgress(terminal, 'verify');
  const report = await verifyStore({
    store,
    index,
    runtime,
    folder: config.data,
    repair,
    onProgress: (done, total) => progress.update(done, total),
  }).finally(() => progress.stop());
  const { core, recipes, folder } = tier;
  if (core === undefined) return { ...report, recipes: 0, packs: 0 };
  const layers = await verifyLayers({
    ...{ store: tier.store, whole: folder.blobs, index: folder.files, recipes, repair },
    ...{ core: core.restore, clock: runtime.clock },
  });
  return {
    ...report,
    recipes: layers.recipes,
    packs: packs.packs,
    damage: [...packs.damage, ...report.damage, ...layers.damage],
  };
}

/** Before layers are taken out that need what is damaged: afterwards nothing of it is missed. */
async function verifyAllPacks(tier: Tier, repair: boolean): Promise<VerifiedPacks> {
  const { core, packs, folder } = tier;
  if (core === undefined) return { packs: 0, damage: [] };
  return await verifyPacks({ index: folder.files, packs, core: core.restore, repair });
}

function print(terminal: Terminal, report: Report): void {
  const { blobs, bytes, manifests, recipes, packs, damage } = report;
  terminal.out(`checked ${blobs} blobs (${formatBytes(bytes)}) and ${manifests} manifests\n`);
  if (recipes > 0) terminal.out(`read ${packs} packs and made ${recipes} layers again\n`);
  if (damage.length === 0) {
    terminal.out('everything is whole\n');
    return;
  }
  terminal.out(renderTable(['damage', 'what', 'state'], damage.map(describe)));
  const left = damage.filter(({ kind, isRepaired }) => !isRepaired && kind !== 'unreadable').length;
  if (left > 0) terminal.out(`mica verify --repair mends ${left} of them\n`);
}

function describe({ kind, subject, reason, isRepaired }: Damage): string[] {
  const what = reason === undefined ? subject : `${subject} (${reason})`;
  return [kind, what, isRepaired ? 'repaired' : 'found'];
}
