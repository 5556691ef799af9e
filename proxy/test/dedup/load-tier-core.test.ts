import test from 'ava';
import { loadTierCore } from '../../src/dedup/load-tier-core.ts';
import { openTier } from '../../src/dedup/open-tier.ts';
import { TierWork } from '../../src/dedup/tier-work.ts';
import { openDataFolder } from '../../src/store/data-folder.ts';
import { digestBytes, fill } from '../conformance/blob-store.ts';
import { MemoryLog, quietLog } from '../doubles/quiet-log.ts';
import { makeFolder, makeTestRuntime, removeFolder } from '../doubles/test-runtime.ts';
import { TestSpace } from '../pull/mirror-under-test.ts';
import { makeFiles, makeTar } from './layers.ts';

const OBSERVER = {
  damaged: () => undefined,
  ingested: () => undefined,
  restored: () => undefined,
  promoted: () => undefined,
  demoted: () => undefined,
  predicted: () => undefined,
};

test('loadTierCore() gives two cores with threads of their own, and says which', async (t) => {
  const log = new MemoryLog();
  const core = await loadTierCore(makeTestRuntime(), 1, log);
  t.is(core?.restore.flavour, 'native');
  t.not(core?.restore, core?.ingest);
  t.like(log.entries, [{ level: 'info', fields: { core: 'native' } }]);
});

test('loadTierCore() says that no core loads, and goes on without', async (t) => {
  const log = new MemoryLog();
  const broken = new Error('no such file');
  const runtime = { ...makeTestRuntime(), loadCore: () => Promise.reject(broken) };
  t.is(await loadTierCore(runtime, 'auto', log), undefined);
  t.like(log.entries, [{ level: 'error', fields: { err: broken } }]);
});

test('loadTierCore() refuses a core that does not exist', async (t) => {
  const runtime = makeTestRuntime({ environment: { CORE: 'fast' } });
  await t.throwsAsync(loadTierCore(runtime, 'auto', quietLog), { code: 'CORE_CHOICE' });
});

test('without the core layers are stored and served whole, and none waits', async (t) => {
  const path = await makeFolder();
  t.teardown(() => removeFolder(path));
  const runtime = makeTestRuntime();
  const folder = await openDataFolder({ path, runtime });
  const dedup = { mode: 'b', replicas: 0, minLayer: 1, workers: 'auto', predict: true } as const;
  const work = new TierWork({
    config: {
      data: path,
      quota: { kind: 'bytes', bytes: 1e9 },
      dedup: { ...dedup, rawBudget: { kind: 'bytes', bytes: 0 } },
    },
    ...{ folder, runtime, log: quietLog, observer: OBSERVER },
  });
  const tier = await openTier({
    ...{ folder, runtime, log: quietLog, observer: OBSERVER },
    onStored: (digest, size) => work.stored(digest, size),
  });
  work.start({ tier, space: new TestSpace(), isBusy: () => false, isWaiting: () => false });
  const layer = makeTar(makeFiles(3, 1));
  const digest = digestBytes(layer);
  work.learn([{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: 1 }]);
  await fill(tier.store, digest, layer);
  await work.collect();
  t.is(await tier.store.stat(digest), layer.length);
  t.is((await folder.files.totals()).layers.queued, 0);
  await work.close();
  await tier.close();
  await folder.close();
});
