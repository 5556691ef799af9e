import test from 'ava';
import { describeStats } from '../../src/commands/describe-stats.ts';

const MIB = 1024 * 1024;

const STATS = {
  version: '1.2.3',
  hitRatio: 0.75,
  layers: {
    ...{ total: 5, whole: 2, recipeOnly: 3, pending: 0, notExact: 1 },
    reasons: { TOO_SMALL: 1, GZIP_MAGIC: 1 },
  },
  bytes: { tar: 10 * MIB, compressed: 4 * MIB, stored: MIB, packs: MIB / 2, recipes: 1024 },
  files: { unique: 1200, duplicate: 34 },
  hot: { layers: 1, bytes: MIB },
  restores: {
    ...{ count: 3, seconds: 0.9, bytes: MIB },
    recent: { count: 3, medianSeconds: 0.25, p95Seconds: 0.4, maxSeconds: 0.4 },
  },
  upstreams: [
    {
      ...{ name: 'docker.io', circuit: 'closed', requests: 7, failures: 0, bytesReceived: 9 },
      rateLimit: { remaining: 76 },
    },
  ],
};

test('describeStats() groups what it is told, in words and with ratios', (t) => {
  const text = describeStats(STATS);
  for (const line of [
    /^Server\n {2}version +1\.2\.3\n {2}answered from here +75%$/m,
    /^ {2}compressed +4 MiB$/m,
    /^ {2}stored of compressed +25%$/m,
    /^ {2}stored of tars +10%$/m,
    /^Layers\n {2}all +5\n {2}with a whole copy +2\n {2}only as a recipe +3$/m,
    /^ {2}different +1,200\n {2}the same again +34$/m,
    /^Hot set: whole beside the recipe\n {2}layers +1\n {2}bytes +1 MiB$/m,
    /^ {2}waited mostly +250 ms\n {2}one in twenty +400 ms$/m,
    /^ {2}too small to be worth it \(TOO_SMALL\) +1\n {2}GZIP_MAGIC +1$/m,
    /^ {2}docker\.io +circuit closed +7 requests +0 failed +76 pulls left$/m,
  ]) {
    t.regex(text, line);
  }
  t.false(text.includes('made ahead'));
});

test('describeStats() tells of layers made ahead where the server does', (t) => {
  const text = describeStats({ prediction: { made: 4, used: 3, wasted: 1 } });
  t.is(text, 'Layers made ahead\n  made    4\n  used    3\n  wasted  1\n');
});

test('describeStats() leaves out what is not told, or not as it should be', (t) => {
  t.is(describeStats({ bytes: 'many', layers: null, upstreams: {}, version: 3 }), '');
});
