// Jobs of the store's measurements run in processes of their own, by `store/jobs/<name>.js`. What they are
// asked goes through a file, since lists of layers are longer than an argument may be.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { programPath } from '../clients/client.ts';
import type { Bench } from '../lib/bench.ts';
import { runChild } from '../lib/child.ts';

export async function runStoreJob<Job, Result>(
  { cleanup, folder }: Bench,
  name: string,
  job: Job,
): Promise<Result> {
  const file = join(folder, `${name}.job.json`);
  await writeFile(file, JSON.stringify(job));
  const command = [process.execPath, programPath(`store/jobs/${name}.js`), file];
  const result: Result = JSON.parse(await runChild({ cleanup, name, command }));
  return result;
}
