// The history of savings as a chart: what layers' tars, their compressed bytes and the store were and are.

import type { SavingsSample } from '../savings-history.ts';
import { formatMoment } from './format.ts';
import { formatBytes } from './format-bytes.ts';

const SVG = 'http://www.w3.org/2000/svg';

/** Pixels around the lines: for the sizes on the left and the times below. */
const MARGIN = { left: 76, right: 12, top: 10, bottom: 26 };

/** Lines across at least, and moments named below: one for each so many pixels. */
const SIZE_STEPS = 4;
const MOMENT_WIDTH = 160;

/** The lines, the largest first, so that the store's lies on top. */
const LINES = ['tar', 'compressed', 'stored'] as const;

export interface ChartFrame {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** The samples from a moment on; the one that held at that moment stands at it. */
export function cutSamples(samples: readonly SavingsSample[], fromMs: number): SavingsSample[] {
  const held = samples.findLast(({ atMs }) => atMs <= fromMs);
  const later = samples.filter(({ atMs }) => atMs > fromMs);
  return held === undefined ? later : [{ ...held, atMs: fromMs }, ...later];
}

/** Round sizes from 0 to at least the largest: 1, 2, 2.5 or 5 with zeros, in the unit that suits. */
export function sizeTicks(largest: number): number[] {
  const rough = Math.max(1, largest / SIZE_STEPS);
  const unit = 1024 ** Math.min(4, Math.floor(Math.log2(rough) / 10));
  const power = 10 ** Math.floor(Math.log10(rough / unit));
  const factor = [1, 2, 2.5, 5, 10].find((round) => round * power * unit >= rough) ?? 10;
  const step = factor * power * unit;
  const count = Math.max(1, Math.ceil(largest / step));
  return Array.from({ length: count + 1 }, (_, at) => at * step);
}

/** A line that stays where it is until the next sample: `M0 5H10V7`. */
export function stepPath(points: readonly (readonly [x: number, y: number])[]): string {
  const text = (value: number) => String(Math.round(value * 10) / 10);
  return points
    .map(([x, y], at) => (at === 0 ? `M${text(x)} ${text(y)}` : `H${text(x)}V${text(y)}`))
    .join('');
}

/** Draws into the group of an `svg` element what is in the frame. */
export function drawSavings(
  svg: Element,
  samples: readonly SavingsSample[],
  frame: ChartFrame,
): void {
  const { width, height, fromMs, untilMs } = frame;
  const ticks = sizeTicks(Math.max(0, ...samples.flatMap((one) => LINES.map((line) => one[line]))));
  const top = ticks.at(-1) ?? 1;
  const inner = { width: width - MARGIN.left - MARGIN.right, bottom: height - MARGIN.bottom };
  const spanMs = Math.max(1, untilMs - fromMs);
  const x = (atMs: number) => MARGIN.left + ((atMs - fromMs) / spanMs) * inner.width;
  const y = (size: number) => inner.bottom - (size / top) * (inner.bottom - MARGIN.top);
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.querySelector('g')?.replaceChildren(
    ...ticks.flatMap((size) => makeSizeTick(size, y(size), width)),
    ...moments(frame, inner.width).map((atMs) => makeMoment(atMs, x(atMs), frame)),
    ...LINES.map((line) => {
      const path = stepPath(samples.map((sample) => [x(sample.atMs), y(sample[line])]));
      return make('path', { d: path, class: `line ${line}` });
    }),
  );
}

function moments({ fromMs, untilMs }: ChartFrame, innerWidth: number): number[] {
  const steps = Math.max(1, Math.floor(innerWidth / MOMENT_WIDTH));
  return Array.from({ length: steps + 1 }, (_, at) => fromMs + ((untilMs - fromMs) * at) / steps);
}

function makeSizeTick(size: number, y: number, width: number): Element[] {
  const line = { x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y, class: 'grid' };
  const place = { x: MARGIN.left - 8, y, dy: '0.32em', 'text-anchor': 'end' };
  return [make('line', line), make('text', place, formatBytes(size))];
}

function makeMoment(atMs: number, x: number, { height, fromMs, untilMs }: ChartFrame): Element {
  const anchor = atMs === fromMs ? 'start' : atMs === untilMs ? 'end' : 'middle';
  const place = { x, y: height - 6, 'text-anchor': anchor };
  return make('text', place, formatMoment(atMs, untilMs - fromMs));
}

function make(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  text = '',
): Element {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.textContent = text;
  return element;
}
