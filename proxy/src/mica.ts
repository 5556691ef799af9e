// Mica put together: every part is made here, once, and given to those that need it.

import { ClientCredentials } from './access/client-credentials.ts';
import { Htpasswd } from './access/htpasswd.ts';
import type { Listening, Serving } from './adapter/serving.ts';
import { createAdminApp } from './admin/admin-app.ts';
import { Metrics } from './admin/metrics.ts';
import type { StoreUsage } from './admin/stats.ts';
import { createApp } from './app.ts';
import type { Config } from './config/config.ts';
import type { Log } from './log.ts';
import { type OpenedMirror, openMirror } from './pull/open-mirror.ts';
import type { Runtime } from './runtime/runtime.ts';
import { collectGarbage } from './store/collect.ts';
import { type DataFolder, openDataFolder } from './store/data-folder.ts';
import { takeServeLock } from './store/serve-lock.ts';
import { openStoreSpace, type StoreSpace } from './store/store-space.ts';
import { measureUsage } from './store/usage.ts';
import { configuredCredential } from './upstream/configured-credentials.ts';
import { openUpstream } from './upstream/open-upstream.ts';
import type { Upstream } from './upstream/upstream.ts';
import { VERSION } from './version.ts';

export interface MicaOptions {
  readonly config: Config;
  readonly runtime: Runtime;
  readonly log: Log;
  readonly serving: Serving;
}

/** A mirror that is listening. */
export interface Mica {
  /** URL of the registry API. */
  readonly listen: string;
  readonly admin: string;
  /** Lets open bodies end, keeps what fills have, and frees the data folder. */
  close(): Promise<void>;
}

/** How often garbage is collected, ms. */
const COLLECT_EVERY_MS = 60 * 60 * 1000;

/** How long a count of the store is shown: it reads every folder. */
const USAGE_AGE_MS = 30_000;

/** Opens the data folder and the upstreams, and listens. Rejects with what is wrong, and then holds nothing. */
export async function openMica(options: MicaOptions): Promise<Mica> {
  const opened = new Closing();
  try {
    return await open(options, opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** What to close, last opened first. */
class Closing {
  readonly #steps: (() => Promise<void>)[] = [];

  add(step: () => Promise<void>): void {
    this.#steps.unshift(step);
  }

  async close(): Promise<void> {
    for (const step of this.#steps.splice(0)) await step();
  }
}

async function open(options: MicaOptions, closing: Closing): Promise<Mica> {
  const { config, runtime, log } = options;
  const upstreams = new Map<string, Upstream>();
  const metrics = new Metrics(() => [...upstreams.values()].map((one) => one.status()));
  const folder = await openFolder(options, metrics, closing);
  await openUpstreams(options, upstreams, closing);
  const { index, blobs: store } = folder;
  const space = openStoreSpace({ store, index, config, runtime, observer: metrics, log });
  const mirror = openMirror({
    config,
    upstreams,
    store,
    index,
    space,
    runtime,
    observer: metrics,
    log,
  });
  closing.add(() => mirror.close());
  closing.add(collectRegularly(folder, runtime, log));
  const listening = await listen(options, { folder, upstreams, metrics, mirror, space });
  closing.add(() => listening.drain());
  return {
    listen: listening.listen,
    admin: listening.admin,
    close: () => closing.close(),
  };
}

async function openFolder(
  options: MicaOptions,
  metrics: Metrics,
  closing: Closing,
): Promise<DataFolder> {
  const { config, runtime, log } = options;
  const { recheckMs } = config.store;
  const onDamaged = () => metrics.damaged();
  const folder = await openDataFolder({ path: config.data, runtime, recheckMs, log, onDamaged });
  closing.add(() => folder.close());
  const lock = await takeServeLock(config.data, runtime);
  closing.add(() => lock.release());
  return folder;
}

async function openUpstreams(
  { config, runtime, log }: MicaOptions,
  upstreams: Map<string, Upstream>,
  closing: Closing,
): Promise<void> {
  for (const [name, upstream] of Object.entries(config.upstreams)) {
    const credential = configuredCredential(name, upstream, runtime);
    const opened = await openUpstream({ name, config: upstream, runtime, credential, log });
    upstreams.set(name, opened);
    closing.add(() => opened.close());
  }
}

interface Parts {
  readonly folder: DataFolder;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly metrics: Metrics;
  readonly mirror: OpenedMirror;
  readonly space: StoreSpace;
}

async function listen(options: MicaOptions, parts: Parts): Promise<Listening> {
  const { config, runtime, log, serving } = options;
  const { folder, metrics, mirror } = parts;
  const { htpasswd } = config.auth ?? {};
  const app = createApp({
    mirror,
    config,
    sendBody: serving.sendBody,
    log,
    clientAddress: (c) => serving.clientAddress(c),
    credentials: new ClientCredentials(folder.secret),
    passwords: htpasswd === undefined ? undefined : await Htpasswd.open(htpasswd, runtime),
    requestEnded: (ended) => metrics.requestEnded(ended),
  });
  return serving.listen({ app, admin: adminApp(options, parts), config, log });
}

function adminApp({ config, runtime, log }: MicaOptions, parts: Parts) {
  const { folder, upstreams, metrics, space } = parts;
  const { files, clock } = runtime;
  return createAdminApp({
    metrics,
    stats: {
      version: VERSION,
      runtime: runtime.name,
      startedMs: clock.now(),
      now: () => clock.now(),
      totals: metrics.totals,
      upstreams: () => [...upstreams.values()].map((upstream) => upstream.status()),
      usage: usageReader(folder, space, runtime),
    },
    checks: {
      store: () => files.list(`${config.data}/blobs`),
      index: () => folder.index.getGrant('', ''),
    },
    log,
  });
}

/** Counts the store, at most every half minute. */
function usageReader(
  folder: DataFolder,
  space: StoreSpace,
  { clock }: Runtime,
): () => Promise<StoreUsage> {
  let last: { readonly atMs: number; readonly usage: Promise<StoreUsage> } | undefined;
  const read = async (): Promise<StoreUsage> => {
    const { blobs } = await measureUsage(folder.blobs, folder.index);
    const { limit } = await space.status();
    return { blobs: blobs.count, bytes: blobs.bytes, quota: limit };
  };
  return () => {
    if (last === undefined || clock.now() - last.atMs > USAGE_AGE_MS) {
      last = { atMs: clock.now(), usage: read() };
    }
    return last.usage;
  };
}

/** Collects garbage every hour; gives the function that ends it. */
function collectRegularly(folder: DataFolder, runtime: Runtime, log: Log): () => Promise<void> {
  const abort = new AbortController();
  const { clock } = runtime;
  const run = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      await clock.sleep(COLLECT_EVERY_MS, abort.signal);
      const collected = await collectGarbage({ store: folder.blobs, index: folder.index, clock });
      log.info({ ...collected }, 'garbage was collected');
    }
  };
  const ended = keepRunning(run, abort.signal, log);
  return async () => {
    abort.abort();
    await ended;
  };
}

async function keepRunning(run: () => Promise<void>, signal: AbortSignal, log: Log): Promise<void> {
  while (!signal.aborted) {
    try {
      await run();
    } catch (error) {
      if (!signal.aborted) log.error({ err: error }, 'garbage could not be collected');
    }
  }
}
