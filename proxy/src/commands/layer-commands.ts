// The commands about layers in files.

import type { Command } from 'commander';
import type { Act } from './act.ts';
import { type LayerCheckOptions, layerCheck } from './layer-check.ts';

export function addLayerCommands(program: Command, act: Act): void {
  const layer = program.command('layer').description('see what Mica makes of layers');
  layer
    .command('check')
    .description('take layers apart, make them again and compare')
    .argument('<file...>', 'layers as they are in registries: gzip or plain tar')
    .option('--json', 'print JSON')
    .action(
      act((context, files: readonly string[], options: LayerCheckOptions) =>
        layerCheck(context, files, options),
      ),
    );
}
