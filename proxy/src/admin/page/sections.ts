// The page's figures and tables, filled from what the server says.

import type { ImageUse, ImageUses } from '../images.ts';
import type { RunningIngest, Stats } from '../stats.ts';
import { byId, type Cell, fillTable, makeProgress, setText } from './elements.ts';
import { formatCount, formatDuration, formatShare, shortenDigest } from './format.ts';
import { formatBytes } from './format-bytes.ts';
import { reasonText } from './reasons.ts';

const STEPS: Readonly<Record<RunningIngest['step'], string>> = {
  recipe: 'taking apart',
  files: 'packing new files',
  proof: 'proving',
};

const CIRCUITS = {
  closed: 'well',
  'half-open': 'is tried again',
  open: 'away: not asked for a while',
} as const;

export function showStats(stats: Stats): void {
  const core = stats.core === 'none' ? 'no core' : `${stats.core} core`;
  const uptime = formatDuration(stats.uptimeSeconds * 1000);
  setText('about', `Version ${stats.version} on ${stats.runtime}, ${core}, up for ${uptime}`);
  showFigures(stats);
  showPrediction(stats);
  showProgress(stats);
  showLayers(stats);
  showUpstreams(stats);
}

export function showImages({ biggest, hottest }: ImageUses, nowMs: number): void {
  const used = (image: ImageUse) => `${formatDuration(Math.max(0, nowMs - image.lastUseMs))} ago`;
  fillTable(
    'biggest',
    biggest.map((image) => [
      image.name,
      formatBytes(image.size),
      formatBytes(image.stored),
      used(image),
    ]),
    'No image is stored yet.',
  );
  const isPulled = (image: ImageUse) => image.pulls > 0;
  fillTable(
    'hottest',
    hottest.map((image) => [
      image.name,
      isPulled(image) ? image.pulls.toFixed(1) : 'none since the start',
      formatBytes(image.size),
      used(image),
    ]),
    'No image is stored yet.',
  );
}

function showFigures({ bytes, totals, hitRatio, restores, hot, store }: Stats): void {
  const share = formatShare(bytes.stored, bytes.compressed);
  const shareText = share === '' ? [] : [`${share} of the compressed layers`];
  const quotaText = store.quota === undefined ? [] : [`at most ${formatBytes(store.quota)}`];
  setText('stored', formatBytes(bytes.stored));
  setText('stored-more', [...shareText, ...quotaText].join(', '));
  setText('hits', hitRatio === undefined ? 'nothing yet' : formatShare(hitRatio, 1));
  setText('hits-more', `${formatCount(totals.requests)} requests, ${totals.errors} errors`);
  setText('served', formatBytes(totals.bytesServed));
  setText('served-more', `${formatBytes(totals.bytesFetched)} fetched`);
  const { recent } = restores;
  setText('restores', formatCount(restores.count));
  const wait = (seconds: number) => formatDuration(seconds * 1000);
  setText(
    'restores-more',
    recent === undefined
      ? 'reads of layers that are only recipes'
      : `waited ${wait(recent.medianSeconds)} mostly, ${wait(recent.p95Seconds)} one in twenty, ${wait(recent.maxSeconds)} at most`,
  );
  setText('hot', formatBytes(hot.bytes));
  setText('hot-more', `${formatCount(hot.layers)} layers kept whole beside their recipe`);
}

/** Only of servers that make layers ahead. */
function showPrediction({ prediction }: Stats): void {
  const box = byId('prediction').parentElement;
  if (box !== null) box.hidden = prediction === undefined;
  if (prediction === undefined) return;
  const { made, used, wasted } = prediction;
  setText('prediction', formatCount(made));
  setText('prediction-more', `layers: ${formatCount(used)} used, ${formatCount(wasted)} not`);
}

function showProgress({ fills, ingests, layers, nowMs }: Stats): void {
  const since = (startedMs: number) => formatDuration(Math.max(0, nowMs - startedMs));
  const fillRows = fills.blobs.map(({ repository, digest, bytes, size, startedMs }): Cell[] => [
    repository,
    shortenDigest(digest),
    'fetching',
    makeProgress(bytes, size, describePart(bytes, size)),
    since(startedMs),
  ]);
  const ingestRows = ingests.map((one): Cell[] => [
    one.repository ?? 'an image that is gone',
    shortenDigest(one.digest),
    STEPS[one.step],
    makeProgress(one.bytes, one.size, describePart(one.bytes, one.size)),
    since(one.startedMs),
  ]);
  fillTable('progress', [...fillRows, ...ingestRows], 'Nothing is fetched or taken apart now.');
  const more = fills.running - fills.blobs.length;
  const fetched = more > 0 ? `${formatCount(more)} more are fetched. ` : '';
  setText('waiting', `${fetched}${formatCount(layers.pending)} layers wait to be taken apart.`);
}

function describePart(part: number, whole: number | undefined): string {
  if (whole === undefined) return formatBytes(part);
  return `${formatShare(part, whole)} of ${formatBytes(whole)}`;
}

function showLayers({ layers, files }: Stats): void {
  const rows = [
    ['all', layers.total],
    ['with a whole copy', layers.whole],
    ['only as a recipe', layers.recipeOnly],
    ['waiting to be taken apart', layers.pending],
    ['not exact, so always whole', layers.notExact],
    ['different files in them', files.unique],
    ['files more that are the same', files.duplicate],
  ] as const;
  fillTable(
    'layers',
    rows.map(([name, count]) => [name, formatCount(count)]),
    '',
  );
  const reasons = Object.entries(layers.reasons).sort(([, one], [, other]) => other - one);
  fillTable(
    'reasons',
    reasons.map(([reason, count]) => [reasonText(reason), formatCount(count)]),
    'No layer has to.',
  );
}

function showUpstreams({ upstreams }: Stats): void {
  fillTable(
    'upstreams',
    upstreams.map(({ name, circuit, requests, failures, bytesReceived, rateLimit }): Cell[] => [
      name,
      describeCircuit(circuit),
      formatCount(requests),
      formatCount(failures),
      formatBytes(bytesReceived),
      describeLimit(rateLimit),
    ]),
    'No upstream is configured.',
  );
}

function describeCircuit(circuit: keyof typeof CIRCUITS): Cell {
  if (circuit === 'closed') return CIRCUITS[circuit];
  const warning = document.createElement('span');
  warning.className = 'bad';
  warning.textContent = CIRCUITS[circuit];
  return warning;
}

function describeLimit(rateLimit: Stats['upstreams'][number]['rateLimit']): string {
  const { remaining, limit, windowSeconds } = rateLimit ?? {};
  if (remaining === undefined) return 'not limited, or not told';
  const all = limit === undefined ? '' : ` of ${formatCount(limit)}`;
  const window = windowSeconds === undefined ? '' : ` in ${formatDuration(windowSeconds * 1000)}`;
  return `${formatCount(remaining)}${all}${window}`;
}
