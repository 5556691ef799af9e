// Lets one `serve` use a data folder at a time.
//
// The lock is a file that names its holder. A holder that was killed cannot remove it, so whoever finds
// it looks whether that process still runs: by process id and start time on the same host; on another
// host or in another container, whose processes cannot be seen, by how lately the holder renewed it.

import type { OpenFile, Runtime } from '../runtime/runtime.ts';
import { DataFolderError } from './data-folder-error.ts';
import { hasCode } from './file-error.ts';
import { readIfThere } from './read-if-there.ts';

/** How often the holder renews the lock, in ms. */
const RENEWAL_MS = 5000;

/** Age at which another host's lock is stale, in ms: three renewals missed, and the clocks' difference. */
const STALE_MS = 20_000;

/** Rounds of losing the race for a stale lock before giving up. */
const MAX_ROUNDS = 5;

/** Who holds the lock. Times and ids are compared, never computed with, so they stay text. */
interface Holder {
  readonly host: string;
  readonly boot: string;
  readonly processId: string;
  readonly started: string;
}

export interface ServeLock {
  /** Removes the lock. Calling it twice is fine. */
  release(): Promise<void>;
}

/** Takes the lock of a data folder; rejects with DATA_FOLDER_IN_USE while another process holds it. */
export async function takeServeLock(folder: string, runtime: Runtime): Promise<ServeLock> {
  const self = await describeSelf(runtime);
  const path = `${folder}/serve.lock`;
  const own = `${folder}/.serve.lock-${crypto.randomUUID()}`;
  const file = await runtime.files.open(own, 'create');
  const text = formatHolder(self);
  try {
    await file.write(new TextEncoder().encode(text), 0);
    await claim(folder, own, path, self, runtime);
  } catch (error) {
    await file.close();
    throw error;
  } finally {
    await runtime.files.remove(own);
  }
  return keep(path, text, file, runtime);
}

/** Links the own file to the lock's name, after moving stale ones away. */
async function claim(
  folder: string,
  own: string,
  path: string,
  self: Holder,
  runtime: Runtime,
): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    try {
      await runtime.files.link(own, path);
      return;
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    const found = await readIfThere(path, runtime);
    if (found === undefined) continue;
    const holder = parseHolder(found);
    if (await isHeld(path, holder, self, runtime)) throw inUse(folder, holder, self);
    await moveAway(folder, path, found, runtime);
  }
  throw inUse(folder, undefined, self);
}

async function isHeld(
  path: string,
  holder: Holder | undefined,
  self: Holder,
  runtime: Runtime,
): Promise<boolean> {
  if (holder === undefined || holder.host !== self.host) {
    const status = await runtime.files.stat(path);
    return status !== undefined && runtime.clock.now() - status.modifiedMs < STALE_MS;
  }
  if (holder.boot !== self.boot) return false;
  const running = await readProcess(holder.processId, runtime);
  return running?.started === holder.started;
}

/** Removes a stale lock, unless another process replaced it since it was read. */
async function moveAway(
  folder: string,
  path: string,
  expected: string,
  runtime: Runtime,
): Promise<void> {
  const aside = `${folder}/.serve.lock-${crypto.randomUUID()}`;
  try {
    await runtime.files.rename(path, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  try {
    const moved = await runtime.files.readText(aside);
    if (moved !== expected) await runtime.files.link(aside, path);
  } finally {
    await runtime.files.remove(aside);
  }
}

function keep(path: string, text: string, file: OpenFile, runtime: Runtime): ServeLock {
  const ended = new AbortController();
  const bytes = new TextEncoder().encode(text);
  const renewing = renew(file, bytes, runtime, ended.signal);
  return {
    release: async () => {
      if (ended.signal.aborted) return;
      ended.abort();
      await renewing;
      await file.close();
      // Another host may have taken the lock while this process was stopped; then it is theirs.
      if ((await readIfThere(path, runtime)) === text) await runtime.files.remove(path);
    },
  };
}

/** Writes the same bytes again and again, for the time of the change. */
async function renew(
  file: OpenFile,
  bytes: Uint8Array,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    // The only rejection of sleep() is the abort, which ends the loop.
    await runtime.clock.sleep(RENEWAL_MS, signal).catch(() => undefined);
    // A renewal that fails (a full disk, a lost mount) is tried again in the next round.
    if (!signal.aborted) await file.write(bytes, 0).catch(() => undefined);
  }
}

/** Without /proc (not Linux) nothing can be compared, so every lock is judged by its renewal. */
async function describeSelf(runtime: Runtime): Promise<Holder> {
  const self = await readProcess('self', runtime);
  return {
    host: await readLine('/proc/sys/kernel/hostname', runtime),
    boot: await readLine('/proc/sys/kernel/random/boot_id', runtime),
    processId: self?.processId ?? '',
    started: self?.started ?? crypto.randomUUID(),
  };
}

/** Process id and start time, fields 1 and 22 of https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
async function readProcess(
  name: string,
  runtime: Runtime,
): Promise<{ processId: string; started: string } | undefined> {
  const text = await readIfThere(`/proc/${name}/stat`, runtime);
  if (text === undefined) return undefined;
  // The program's name, in parentheses, may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [processId = ''] = text.split(' ', 1);
  const started = fields[22 - 3];
  return started === undefined ? undefined : { processId, started };
}

async function readLine(path: string, runtime: Runtime): Promise<string> {
  return (await readIfThere(path, runtime))?.trim() ?? '?';
}

function formatHolder(holder: Holder): string {
  return `${holder.host}\n${holder.boot}\n${holder.processId}\n${holder.started}\n`;
}

function parseHolder(text: string): Holder | undefined {
  const [host, boot, processId, started, end] = text.split('\n');
  if (end !== '' || host === undefined || boot === undefined) return undefined;
  if (processId === undefined || started === undefined) return undefined;
  if (!/^[0-9]+$/.test(processId)) return undefined;
  return { host, boot, processId, started };
}

function inUse(folder: string, holder: Holder | undefined, self: Holder): DataFolderError {
  const where = holder === undefined || holder.host === self.host ? '' : ` on ${holder.host}`;
  const who = holder === undefined ? 'another process' : `process ${holder.processId}${where}`;
  return new DataFolderError(
    'DATA_FOLDER_IN_USE',
    folder,
    `${folder} is in use by ${who}: stop it, or set data to another folder`,
  );
}
