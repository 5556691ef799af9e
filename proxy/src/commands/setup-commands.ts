// The commands for those who set Mica up.

import { Argument, type Command } from 'commander';
import type { Act } from './act.ts';
import { type ClientConfigOptions, clientConfig, type Engine } from './client-config.ts';
import { type ConfigCheckOptions, configCheck } from './config-check.ts';
import { configSchema } from './config-schema.ts';
import { type ConfigShowOptions, configShow } from './config-show.ts';

const ENGINES: readonly Engine[] = ['docker', 'containerd', 'podman'];

export function addSetupCommands(program: Command, act: Act): void {
  program
    .command('client-config')
    .description('print the file that makes an engine pull through this mirror, and where it goes')
    .addArgument(new Argument('<engine>').choices(ENGINES))
    .option('--url <url>', 'the mirror as clients reach it (default: from listen)')
    .option('--json', 'print JSON')
    .action(
      act((context, engine: Engine, options: ClientConfigOptions) =>
        clientConfig(context, engine, options),
      ),
    );
  const config = program.command('config').description('check, describe or show the configuration');
  config
    .command('check')
    .description('report every problem with file, line and key')
    .option('--json', 'print JSON')
    .action(act((context, options: ConfigCheckOptions) => configCheck(context, options)));
  config
    .command('schema')
    .description('print the JSON Schema of the configuration file')
    .action(act((context) => configSchema(context)));
  config
    .command('show')
    .description('print the configuration in use, and where each value comes from')
    .option('--json', 'print JSON')
    .action(act((context, options: ConfigShowOptions) => configShow(context, options)));
}
