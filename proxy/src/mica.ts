// Mica put together: every part is made here, once, and given to those that need it.

import { ClientCredentials } from './access/client-credentials.ts';
import { Htpasswd } from './access/htpasswd.ts';
import type { Listening, Serving } from './adapter/serving.ts';
import { Metrics } from './admin/metrics.ts';
import { type Admin, openAdmin } from './admin/open-admin.ts';
import { createApp } from './app.ts';
import { collectRegularly } from './collect-regularly.ts';
import type { Config } from './config/config.ts';
import { loadTierCore } from './dedup/load-tier-core.ts';
import { openTier, type Tier } from './dedup/open-tier.ts';
import { tellLostIndex } from './dedup/tell-lost-index.ts';
import { TierWork } from './dedup/tier-work.ts';
import type { Log } from './log.ts';
import { type OpenedMirror, openMirror } from './pull/open-mirror.ts';
import type { Runtime } from './runtime/runtime.ts';
import { type DataFolder, openDataFolder } from './store/data-folder.ts';
import { takeServeLock } from './store/serve-lock.ts';
import { openStoreSpace } from './store/store-space.ts';
import { warmIndex } from './store/warm-index.ts';
import { configuredCredential } from './upstream/configured-credentials.ts';
import { openUpstream } from './upstream/open-upstream.ts';
import type { Upstream } from './upstream/upstream.ts';

/**
 * When all that is stored is looked at first, ms after the start. It takes the processor from the clients
 * who waited for the start.
 */
const LOOK_AFTER_MS = 1000;

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
  const { tier, work } = await openLayers(options, folder, metrics, closing);
  const { store } = tier;
  const { index } = folder;
  const reclaim = () => tier.reclaim();
  const ending = new AbortController();
  const space = openStoreSpace({
    ...{ store, index, config, runtime, observer: metrics, log, reclaim },
    counting: { afterMs: LOOK_AFTER_MS, signal: ending.signal },
  });
  closing.add(() => {
    ending.abort();
    return space.counted;
  });
  const mirror = openMirror({
    ...{ config, upstreams, store, index, space, runtime, observer: metrics, log },
    onManifestStored: (blobs) => work.learn(blobs),
  });
  closing.add(() => mirror.close());
  const isBusy = () => metrics.totals.fillsRunning > 0 || (tier.restorations?.active ?? 0) > 0;
  const isWaiting = () => metrics.totals.fillsRunning > 0 || tier.restorations?.isAwaited === true;
  work.start({ tier, space, isBusy, isWaiting });
  closing.add(() => work.close());
  closing.add(collectRegularly({ tier, work, clock: runtime.clock, log, firstMs: LOOK_AFTER_MS }));
  const admin = openAdmin({
    ...{ ...options, folder, tier, work, upstreams, metrics, mirror, space },
    firstMs: LOOK_AFTER_MS,
  });
  closing.add(() => admin.close());
  const listening = await listen(options, { folder, work, mirror, admin });
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
  warm(options, closing);
  return folder;
}

/** Without it the first requests wait for the disk: no reason not to start. */
function warm({ config, runtime, log }: MicaOptions, closing: Closing): void {
  const ending = new AbortController();
  const warming = warmIndex(config.data, runtime.files, ending.signal).catch((error: unknown) => {
    log.debug({ err: error }, 'the index could not be read ahead');
  });
  closing.add(() => {
    ending.abort();
    return warming;
  });
}

/** What takes layers apart and makes them again. */
async function openLayers(
  { config, runtime, log }: MicaOptions,
  folder: DataFolder,
  metrics: Metrics,
  closing: Closing,
): Promise<{ readonly tier: Tier; readonly work: TierWork }> {
  const core = await loadTierCore(runtime, config.dedup.workers, log);
  const work = new TierWork({ config, folder, runtime, log, observer: metrics });
  const tier = await openTier({
    ...{ folder, runtime, log, core, observer: metrics, memory: work.memory },
    isIngesting: (digest) => work.isIngesting(digest),
    onStored: (digest, size) => work.stored(digest, size),
    copyRun: (digest) => work.copyRun(digest),
  });
  closing.add(() => tier.close());
  await tellLostIndex({ ...tier, index: folder.files, log }).catch((error: unknown) => {
    // A full disk is no reason not to start.
    log.warn({ err: error }, 'it could not be seen whether the index was lost');
  });
  return { tier, work };
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
  readonly work: TierWork;
  readonly mirror: OpenedMirror;
  readonly admin: Admin;
}

async function listen(options: MicaOptions, parts: Parts): Promise<Listening> {
  const { config, runtime, log, serving } = options;
  const { folder, work, mirror, admin } = parts;
  const { htpasswd } = config.auth ?? {};
  const app = createApp({
    mirror,
    config,
    sendBody: serving.sendBody,
    log,
    clientAddress: (c) => serving.clientAddress(c),
    credentials: new ClientCredentials(folder.secret),
    passwords: htpasswd === undefined ? undefined : await Htpasswd.open(htpasswd, runtime),
    requestEnded: (ended) => admin.requestEnded(ended),
    pulls: work,
  });
  return serving.listen({ app, admin: admin.app, config, log });
}
