// Statistics as text for people: what /stats tells, in groups.
//
// The server may be of another version than the command: what it does not tell is left out.

import { formatCount, formatDuration, formatShare } from '../admin/page/format.ts';
import { formatBytes } from '../admin/page/format-bytes.ts';
import { reasonText } from '../admin/page/reasons.ts';
import { renderTable } from './table.ts';

type Format = (value: unknown) => string | undefined;

interface Row {
  readonly name: string;
  /** What it says of the statistics; undefined when they do not tell. */
  readonly describe: (stats: object) => string | undefined;
}

const count: Format = (value) => (typeof value === 'number' ? formatCount(value) : undefined);
const bytes: Format = (value) => (typeof value === 'number' ? formatBytes(value) : undefined);
const share: Format = (value) => (typeof value === 'number' ? formatShare(value, 1) : undefined);
const text: Format = (value) => (typeof value === 'string' ? value : undefined);
const seconds: Format = (value) =>
  typeof value === 'number' ? formatDuration(value * 1000) : undefined;

/** A value under keys, the outermost first. */
function row(name: string, path: string, format: Format): Row {
  return { name, describe: (stats) => format(read(stats, path.split('.'))) };
}

/** What is stored as a share of something else. */
function ratio(name: string, path: string): Row {
  const describe = (stats: object) => {
    const stored = read(stats, ['bytes', 'stored']);
    const whole = read(stats, path.split('.'));
    if (typeof stored !== 'number' || typeof whole !== 'number' || whole === 0) return undefined;
    return formatShare(stored, whole);
  };
  return { name, describe };
}

const GROUPS: readonly (readonly [title: string, rows: readonly Row[]])[] = [
  [
    'Server',
    [
      row('version', 'version', text),
      row('runtime', 'runtime', text),
      row('core', 'core', text),
      row('up for', 'uptimeSeconds', seconds),
      row('requests', 'totals.requests', count),
      row('errors', 'totals.errors', count),
      row('served', 'totals.bytesServed', bytes),
      row('fetched', 'totals.bytesFetched', bytes),
      row('answered from here', 'hitRatio', share),
      row('fills running', 'fills.running', count),
    ],
  ],
  [
    'Bytes',
    [
      row('tars', 'bytes.tar', bytes),
      row('compressed', 'bytes.compressed', bytes),
      row('stored', 'bytes.stored', bytes),
      row('  packs', 'bytes.packs', bytes),
      row('  recipes', 'bytes.recipes', bytes),
      ratio('stored of compressed', 'bytes.compressed'),
      ratio('stored of tars', 'bytes.tar'),
      row('quota', 'store.quota', bytes),
    ],
  ],
  [
    'Layers',
    [
      row('all', 'layers.total', count),
      row('with a whole copy', 'layers.whole', count),
      row('only as a recipe', 'layers.recipeOnly', count),
      row('waiting', 'layers.pending', count),
      row('not exact', 'layers.notExact', count),
    ],
  ],
  [
    'Files in them',
    [row('different', 'files.unique', count), row('the same again', 'files.duplicate', count)],
  ],
  [
    'Hot set: whole beside the recipe',
    [row('layers', 'hot.layers', count), row('bytes', 'hot.bytes', bytes)],
  ],
  [
    'Restored layers',
    [
      row('reads', 'restores.count', count),
      row('bytes', 'restores.bytes', bytes),
      row('waited in all', 'restores.seconds', seconds),
      row('waited mostly', 'restores.recent.medianSeconds', seconds),
      row('one in twenty', 'restores.recent.p95Seconds', seconds),
      row('at most', 'restores.recent.maxSeconds', seconds),
    ],
  ],
  [
    'Layers made ahead',
    [
      row('made', 'prediction.made', count),
      row('used', 'prediction.used', count),
      row('wasted', 'prediction.wasted', count),
    ],
  ],
];

/**
 * Tables under their titles, of /stats and, where they are among the keys, the lists of /stats/images. Groups
 * of which nothing is told are left out.
 */
export function describeStats(stats: object): string {
  const groups = GROUPS.map(([title, rows]) => [title, fillRows(stats, rows)] as const);
  return [...groups, ...describeLists(stats)]
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => `${title}\n${indent(renderTable([], rows))}`)
    .join('\n');
}

function describeLists(stats: object): (readonly [string, string[][]])[] {
  const { reasons } = asObject(read(stats, ['layers']));
  const { upstreams, hottest } = asObject(stats);
  return [
    ['Why layers stay whole', describeReasons(asObject(reasons))],
    ['Hottest images', Array.isArray(hottest) ? hottest.map(describeImage) : []],
    ['Upstreams', Array.isArray(upstreams) ? upstreams.map(describeUpstream) : []],
  ];
}

function describeReasons(reasons: Readonly<Record<string, unknown>>): string[][] {
  return Object.entries(reasons).map(([reason, layers]) => [
    reasonText(reason),
    count(layers) ?? '',
  ]);
}

function describeImage(image: unknown): string[] {
  const { name, pulls, size } = asObject(image);
  const recent = typeof pulls === 'number' ? `${pulls.toFixed(1)} recent pulls` : '';
  return [text(name) ?? '', recent, bytes(size) ?? ''];
}

function describeUpstream(upstream: unknown): string[] {
  const { name, circuit, requests, failures, rateLimit } = asObject(upstream);
  const left = count(asObject(rateLimit)['remaining']);
  return [
    text(name) ?? '',
    `circuit ${text(circuit) ?? ''}`,
    `${count(requests) ?? ''} requests`,
    `${count(failures) ?? ''} failed`,
    left === undefined ? '' : `${left} pulls left`,
  ];
}

function fillRows(stats: object, rows: readonly Row[]): string[][] {
  return rows.flatMap(({ name, describe }) => {
    const value = describe(stats);
    return value === undefined ? [] : [[name, value]];
  });
}

function read(value: unknown, path: readonly string[]): unknown {
  return path.reduce((inner: unknown, key) => asObject(inner)[key], value);
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function indent(table: string): string {
  return table.replaceAll(/^(?=.)/gm, '  ');
}
