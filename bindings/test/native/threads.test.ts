// What only a core with threads does: jobs wait for each other, and threads end with whoever has
// started them.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import type { Core } from '../../src/core.ts';
import { loadNative } from '../../src/load-native.ts';

const LOADER = new URL('../../src/load-native.js', import.meta.url);
const TAR = new URL('../contract/tar.js', import.meta.url);

/** A file that never ends. */
const ENDLESS = '/dev/zero';
const FILE = fileURLToPath(import.meta.url);
const options = { algorithm: 'sha256' } as const;

interface Job {
  readonly result: Promise<unknown>;
  /** Resolves once a thread works on it. */
  readonly started: Promise<void>;
  abort(): void;
}

function startEndless(core: Core): Job {
  const controller = new AbortController();
  let start: () => void = () => undefined;
  const started = new Promise<void>((resolve) => {
    start = resolve;
  });
  const { signal } = controller;
  const result = core.hashFile(ENDLESS, { ...options, signal, onProgress: () => start() });
  result.catch(() => undefined);
  return { result, started, abort: () => controller.abort() };
}

/** Nice values of this process's threads that run jobs: proc_pid_stat(5), the 17th field after the name. */
function niceValues(): number[] {
  return readdirSync('/proc/self/task').flatMap((id) => {
    try {
      const [, name, rest] =
        /\((.*)\) (.*)/.exec(readFileSync(`/proc/self/task/${id}/stat`, 'utf8')) ?? [];
      return name === 'mica-core' ? [Number(rest?.split(' ')[16])] : [];
    } catch {
      // It ended between the two calls.
      return [];
    }
  });
}

/** Threads of this process that run jobs. */
function countThreads(): number {
  return niceValues().length;
}

/** Runs JavaScript in a process of its own and gives its exit code and what it printed. */
async function runScript(script: string): Promise<{ code: unknown; output: string }> {
  const source = `import { loadNative } from ${JSON.stringify(LOADER.href)};\n${script}`;
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  return { code, output };
}

test.serial('no more jobs run at once than there are workers', async (t) => {
  const before = countThreads();
  const core = loadNative({ workers: 2 });
  t.is(countThreads(), before, 'threads start with the first job');
  const jobs = [startEndless(core), startEndless(core)];
  await Promise.all(jobs.map((job) => job.started));
  const third = startEndless(core);
  t.is(countThreads(), before + 2);
  const early = await Promise.race([third.started.then(() => 'started'), delay(50, 'waiting')]);
  t.is(early, 'waiting');
  jobs[0]?.abort();
  await third.started;
  for (const job of [...jobs, third]) {
    job.abort();
    await t.throwsAsync(job.result, { any: true, name: 'AbortError' });
  }
  t.is(countThreads(), before + 2);
});

test.serial('threads in the background give way to all others', async (t) => {
  const before = niceValues();
  const core = loadNative({ workers: 1, isBackground: true });
  const job = startEndless(core);
  await job.started;
  const after = niceValues();
  job.abort();
  await t.throwsAsync(job.result, { any: true, name: 'AbortError' });
  const ascending = (one: number, other: number): number => one - other;
  t.deepEqual(after.sort(ascending), [...before, 19].sort(ascending));
});

test.serial('a waiting job is canceled at once', async (t) => {
  const core = loadNative({ workers: 1 });
  const running = startEndless(core);
  await running.started;
  const waiting = startEndless(core);
  waiting.abort();
  await t.throwsAsync(waiting.result, { any: true, name: 'AbortError' });
  const next = core.hashFile(FILE, options);
  running.abort();
  await t.throwsAsync(running.result, { any: true, name: 'AbortError' });
  t.true((await next).size > 0);
});

test.serial('hundreds of jobs on two threads all end', async (t) => {
  const core = loadNative({ workers: 2 });
  const jobs = Array.from({ length: 300 }, () => core.hashFile(FILE, options));
  const digests = new Set((await Promise.all(jobs)).map(({ digest }) => digest));
  t.is(digests.size, 1);
});

test.serial('a worker that is terminated takes its jobs and threads with it', async (t) => {
  const before = countThreads();
  const script = `
    import { parentPort } from 'node:worker_threads';
    const { loadNative } = await import(${JSON.stringify(LOADER.href)});
    const core = loadNative({ workers: 2 });
    let started = 0;
    for (let index = 0; index < 5; index += 1) {
      let first = true;
      const onProgress = () => {
        if (first && ++started === 2) parentPort.postMessage('running');
        first = false;
      };
      core.hashFile('/dev/zero', { algorithm: 'sha256', onProgress });
    }`;
  for (let round = 0; round < 3; round += 1) {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`));
    await once(worker, 'message');
    t.is(countThreads(), before + 2);
    await worker.terminate();
    t.is(countThreads(), before);
  }
});

/** In a script: takes a layer apart in a folder that is removed, with that function to say what is missing. */
const INGEST = `
    import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
    import { tmpdir } from 'node:os';
    import { join } from 'node:path';
    const { makeTar } = await import(${JSON.stringify(TAR.href)});
    const folder = mkdtempSync(join(tmpdir(), 'mica-core-'));
    const end = () => rmSync(folder, { recursive: true });
    writeFileSync(join(folder, 'layer'), makeTar([{ name: 'file', content: new Uint8Array(9) }]));
    const ingest = (core, missing, signal) => core.ingest(join(folder, 'layer'), {
      ...{ recipe: join(folder, 'recipe'), signal },
      pack: { path: join(folder, 'pack'), missing },
    });`;

test.serial(
  'a worker that is terminated takes a job with it that waits for an answer',
  async (t) => {
    const before = countThreads();
    const script = `${INGEST}
    import { parentPort } from 'node:worker_threads';
    const { loadNative } = await import(${JSON.stringify(LOADER.href)});
    ingest(loadNative({ workers: 1 }), () => {
      end();
      parentPort.postMessage('waiting');
      return new Promise(() => {});
    });`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`));
    await once(worker, 'message');
    t.is(countThreads(), before + 1);
    await worker.terminate();
    t.is(countThreads(), before);
  },
);

test('a process may end while a job waits for an answer', async (t) => {
  const { code } = await runScript(`${INGEST}
    await ingest(loadNative({ workers: 1 }), () => {
      end();
      process.exit(7);
    });`);
  t.is(code, 7);
});

test('a process ends by itself when its jobs have', async (t) => {
  const { code, output } = await runScript(`
    const core = loadNative({ workers: 3 });
    const { size } = await core.hashFile(process.execPath, { algorithm: 'sha256', onProgress() {} });
    console.log(size > 0);`);
  t.is(output, 'true\n');
  t.is(code, 0);
});

test('a process may end while jobs run', async (t) => {
  const { code } = await runScript(`
    const core = loadNative({ workers: 2 });
    for (let index = 0; index < 5; index += 1)
      core.hashFile('/dev/zero', { algorithm: 'sha256', onProgress: () => process.exit(7) });`);
  t.is(code, 7);
});

test('what a job was given is freed after it', async (t) => {
  const { code, output } = await runScript(`${INGEST}
    import { setTimeout } from 'node:timers/promises';
    const core = loadNative({ workers: 1 });
    const kept = [];
    async function run(file, act) {
      const controller = new AbortController();
      const onProgress = () => act(controller);
      kept.push(new WeakRef(onProgress), new WeakRef(controller));
      const { signal } = controller;
      await core.hashFile(file, { algorithm: 'sha256', signal, onProgress }).catch(() => {});
    }
    await run(process.execPath, () => {});
    await run('/dev/zero', (controller) => controller.abort());
    await run('/dev/zero', () => { throw new Error(); });
    await run('/absent', () => {});
    async function pack(answer) {
      const controller = new AbortController();
      const missing = () => answer(controller);
      kept.push(new WeakRef(missing), new WeakRef(controller));
      await ingest(core, missing, controller.signal).catch(() => {});
    }
    await pack(async () => Uint32Array.of(0));
    await pack(() => Promise.reject(new Error()));
    await pack((controller) => {
      controller.abort();
      return new Promise(() => {});
    });
    end();
    for (let round = 0; round < 20 && kept.some((ref) => ref.deref()); round += 1) {
      // In another turn than the look at it, which keeps it for that turn.
      await setTimeout(10);
      gc();
    }
    console.log(kept.map((ref) => ref.deref() === undefined).join());`);
  t.is(output, `${Array.from({ length: 14 }, () => 'true').join()}\n`);
  t.is(code, 0);
});
