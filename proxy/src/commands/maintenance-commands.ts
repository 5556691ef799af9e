// The commands for those who keep Mica running.

import type { Command } from 'commander';
import type { Act } from './act.ts';
import { type GcOptions, gc } from './gc.ts';
import { type PrefetchOptions, prefetch } from './prefetch.ts';
import { type PurgeOptions, purge } from './purge.ts';
import { type StatsOptions, stats } from './stats.ts';
import { type VerifyOptions, verify } from './verify.ts';

export function addMaintenanceCommands(program: Command, act: Act): void {
  program
    .command('stats')
    .description('show what the running mirror did and what it keeps')
    .option('--json', 'print JSON')
    .action(act((context, options: StatsOptions) => stats(context, options)));
  program
    .command('verify')
    .description('hash everything that is kept and report what is wrong')
    .option(
      '--repair',
      'take away what is damaged, so that it is fetched again, and correct the index',
    )
    .option('--json', 'print JSON')
    .action(act((context, options: VerifyOptions) => verify(context, options)));
  program
    .command('gc')
    .description('remove what nothing refers to')
    .option('--json', 'print JSON')
    .action(act((context, options: GcOptions) => gc(context, options)));
  program
    .command('purge')
    .description('remove an image, and the blobs that no other image needs')
    .argument('<ref>', 'an image, such as debian:12 or ghcr.io/o/r@sha256:…')
    .option('--json', 'print JSON')
    .action(act((context, ref: string, options: PurgeOptions) => purge(context, ref, options)));
  program
    .command('prefetch')
    .description('have the running mirror fetch images before they are asked for')
    .argument('<ref...>', 'images, such as debian:12 or ghcr.io/o/r@sha256:…')
    .option(
      '--platform <platform>',
      "os/architecture, such as linux/arm64; may be repeated (default: this machine's)",
      (platform: string, before: readonly string[] = []) => [...before, platform],
    )
    .option('--all-platforms', 'fetch every platform of an index')
    .option('--json', 'print JSON')
    .action(
      act((context, refs: string[], options: PrefetchOptions) => prefetch(context, refs, options)),
    );
}
