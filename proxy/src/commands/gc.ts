// `mica gc [--json]`: takes away what nothing refers to.

import { formatBytes } from '../admin/page/format-bytes.ts';
import { collectGarbage } from '../store/collect.ts';
import { type OpenedStore, printJson, withStore } from './open-store.ts';
import { type CommandContext, EXIT_DONE, type ExitCode } from './terminal.ts';

export interface GcOptions {
  readonly json?: boolean;
}

export function gc(context: CommandContext, options: GcOptions): Promise<ExitCode> {
  const { runtime, terminal } = context;
  const work = async ({ store, index, tier }: OpenedStore): Promise<ExitCode> => {
    const garbage = await collectGarbage({ store, index, clock: runtime.clock });
    const unused = await tier.collect();
    const { recipes, packs } = unused;
    const collected = { ...garbage, recipes, packs, bytes: garbage.bytes + unused.bytes };
    if (options.json === true) {
      printJson(terminal, collected);
      return EXIT_DONE;
    }
    const { blobs, partials, bytes, grants } = collected;
    terminal.out(`removed ${blobs} blobs and ${partials} partial blobs, ${formatBytes(bytes)}\n`);
    if (recipes + packs > 0) terminal.out(`removed ${recipes} recipes and ${packs} packs\n`);
    if (grants > 0) terminal.out(`forgot ${grants} grants that had ended\n`);
    return EXIT_DONE;
  };
  return withStore(context, work, { needsCore: true });
}
