// `mica config schema`: prints the JSON Schema of mica.yaml, for editors.

import { configJsonSchema } from '../config/schema.ts';
import { type CommandContext, EXIT_DONE, type ExitCode } from './terminal.ts';

export function configSchema(context: CommandContext): Promise<ExitCode> {
  context.terminal.out(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
  return Promise.resolve(EXIT_DONE);
}
