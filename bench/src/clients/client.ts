// Load generators and clients are processes of their own, so that they may run in another network
// namespace and so that measuring does not slow the load: options come as one JSON argument, the
// result goes out as one line of JSON.
import { fileURLToPath } from 'node:url';
import { runChild } from '../lib/child.ts';
import type { Cleanup } from '../lib/cleanup.ts';

export interface RunClientOptions {
  readonly cleanup: Cleanup;
  readonly namespace?: string;
}

/** Path of a compiled program of this folder's neighbours, such as `clients/pull.js`. */
export function programPath(name: string): string {
  return fileURLToPath(new URL(`../${name}`, import.meta.url));
}

/** Runs `clients/<name>.js` to its end and returns its result. */
export async function runClient<Options, Result>(
  name: string,
  options: Options,
  run: RunClientOptions,
): Promise<Result> {
  const output = await runChild({
    ...run,
    name,
    command: [process.execPath, programPath(`clients/${name}.js`), JSON.stringify(options)],
  });
  const result: Result = JSON.parse(output);
  return result;
}

/** The options this process was started with. */
export function readOptions<Options>(): Options {
  const options: Options = JSON.parse(process.argv[2] ?? '{}');
  return options;
}

export function writeResult(result: unknown): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
