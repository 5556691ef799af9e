// What a job was asked.
import { readFile } from 'node:fs/promises';

export async function readJob<Job>(): Promise<Job> {
  const job: Job = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8'));
  return job;
}
