// The page: asks its server again and again, and shows what it says.

import type { ImageUses } from '../images.ts';
import type { SavingsSample } from '../savings-history.ts';
import type { Stats } from '../stats.ts';
import { byId, setText } from './elements.ts';
import { formatShare } from './format.ts';
import { formatBytes } from './format-bytes.ts';
import { cutSamples, drawSavings } from './savings-chart.ts';
import { showImages, showStats } from './sections.ts';

/** How often the figures are asked for, ms, and what takes the server more work. */
const STATS_EVERY_MS = 2000;
const SLOW_EVERY_MS = 30_000;

/** A server on the same machine or site that takes longer is as good as gone, ms. */
const TIMEOUT_MS = 20_000;

/** Pixels. */
const CHART_HEIGHT = 260;

/** What was last heard. */
interface Heard {
  stats?: Stats;
  savings: readonly SavingsSample[];
}

const heard: Heard = { savings: [] };

async function ask<T>(path: string): Promise<T> {
  const response = await fetch(path, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${path} answers ${response.status}`);
  // The page comes from the server that answers: both know the same types.
  return (await response.json()) as T;
}

async function refreshStats(): Promise<void> {
  const stats = await ask<Stats>('/stats');
  heard.stats = stats;
  showStats(stats);
  drawChart();
}

async function refreshSlow(): Promise<void> {
  heard.savings = await ask<SavingsSample[]>('/stats/savings');
  drawChart();
  const images = await ask<ImageUses>('/stats/images');
  showImages(images, heard.stats?.nowMs ?? Date.now());
}

/** The history, and what is so now. */
function drawChart(): void {
  const { stats, savings } = heard;
  if (stats === undefined) return;
  const { nowMs, bytes } = stats;
  const { tar, compressed, stored } = bytes;
  const past = savings.filter(({ atMs }) => atMs < nowMs);
  const all = [...past, { atMs: nowMs, tar, compressed, stored }];
  const range = byId('range');
  const rangeMs = range instanceof HTMLSelectElement ? Number(range.value) : 0;
  const firstMs = all[0]?.atMs ?? nowMs;
  const fromMs = rangeMs === 0 ? firstMs : Math.max(firstMs, nowMs - rangeMs);
  const svg = byId('savings');
  const width = Math.max(280, svg.clientWidth);
  const frame = { width, height: CHART_HEIGHT, fromMs, untilMs: nowMs };
  drawSavings(svg, cutSamples(all, fromMs), frame);
  const share = formatShare(stored, compressed);
  setText(
    'savings-text',
    `Now ${formatBytes(tar)} of tars, ${formatBytes(compressed)} compressed, ${formatBytes(stored)} stored` +
      (share === '' ? '.' : `: ${share} of the compressed layers.`),
  );
}

/** Runs now and after each pause, but not while nobody looks; says when the server is away. */
async function keepRefreshing(refresh: () => Promise<void>, everyMs: number): Promise<never> {
  for (;;) {
    if (!document.hidden) {
      try {
        await refresh();
        showState('Up to date', false);
      } catch (error) {
        showState(`No answer: ${error instanceof Error ? error.message : String(error)}`, true);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

function showState(text: string, isBad: boolean): void {
  setText('state', text);
  byId('state').classList.toggle('bad', isBad);
}

byId('range').addEventListener('change', drawChart);
new ResizeObserver(drawChart).observe(byId('savings'));
void keepRefreshing(refreshStats, STATS_EVERY_MS);
void keepRefreshing(refreshSlow, SLOW_EVERY_MS);
