// Work on layers runs in processes of its own: then processor time and memory are its alone.
import { programPath } from '../clients/client.ts';
import { runChild } from '../lib/child.ts';
import type { Cleanup } from '../lib/cleanup.ts';

/** Runs `core/jobs/<name>.js` to its end and returns its result. */
export async function runJob<Job, Result>(
  cleanup: Cleanup,
  name: string,
  job: Job,
): Promise<Result> {
  const command = [process.execPath, programPath(`core/jobs/${name}.js`), JSON.stringify(job)];
  const result: Result = JSON.parse(await runChild({ cleanup, name, command }));
  return result;
}
