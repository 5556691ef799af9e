// What whole copies are worth, and which layers should have one instead of which others.

import type { Digest } from '../oci/digest.ts';
import { rateOf } from './decay.ts';

/**
 * A promotion has to save so many times what the copies save that go for it. Without it two layers that are
 * asked for in turn would take each other's place each time.
 */
export const HYSTERESIS_RATIO = 1.5;

/** Making a copy costs what one restore costs: it pays where, at the present rate, one is to come. */
const MIN_EXPECTED = 1;

/** Opening a layer reads its recipe and places, however small it is, in seconds. */
const MIN_RESTORE_SECONDS = 0.01;

/** A layer that can be made again, whole or not. */
export interface RatedLayer {
  readonly digest: Digest;
  /** Bytes that its whole copy takes on the disk. */
  readonly size: number;
  readonly isWhole: boolean;
  /** Pulls, as popularity counts them. */
  readonly count: number;
  readonly restoreSeconds: number;
  readonly lastUseMs: number;
}

export interface Promotion {
  readonly layer: RatedLayer;
  /** Whole copies that make room for it. */
  readonly instead: readonly RatedLayer[];
}

/** Seconds of restoring that a whole copy saves each second. */
export function savingOf({
  count,
  restoreSeconds,
}: Pick<RatedLayer, 'count' | 'restoreSeconds'>): number {
  return rateOf(count) * Math.max(MIN_RESTORE_SECONDS, restoreSeconds);
}

/** What a byte of the budget saves. */
export function worthOf(layer: Pick<RatedLayer, 'size' | 'count' | 'restoreSeconds'>): number {
  return savingOf(layer) / layer.size;
}

/** Those first that are worth least; among equals those that were not used for longest. */
export function compareWorth(one: RatedLayer, other: RatedLayer): number {
  return worthOf(one) - worthOf(other) || one.lastUseMs - other.lastUseMs;
}

/** The layers that should become whole, the best first, so that all copies fit the budget. */
export function planPromotions(layers: readonly RatedLayer[], budget: number): Promotion[] {
  const kept = layers.filter(({ isWhole }) => isWhole).sort(compareWorth);
  const wanted = layers.filter((layer) => !layer.isWhole && isWorthMaking(layer));
  let room = budget - kept.reduce((sum, { size }) => sum + size, 0);
  const promotions: Promotion[] = [];
  for (const layer of wanted.sort(compareWorth).reverse()) {
    const instead = layer.size > budget ? undefined : chooseInstead(layer, kept, room);
    if (instead === undefined) continue;
    kept.splice(0, instead.length);
    room += instead.reduce((sum, { size }) => sum + size, 0) - layer.size;
    promotions.push({ layer, instead });
  }
  return promotions;
}

function isWorthMaking({ count }: RatedLayer): boolean {
  // At the present rate, within one half-life.
  return count * Math.LN2 >= MIN_EXPECTED;
}

/** The least worth copies that make room; undefined when they are worth too much. */
function chooseInstead(
  layer: RatedLayer,
  kept: readonly RatedLayer[],
  room: number,
): readonly RatedLayer[] | undefined {
  const instead: RatedLayer[] = [];
  let free = room;
  let lost = 0;
  for (const copy of kept) {
    if (free >= layer.size) break;
    instead.push(copy);
    free += copy.size;
    lost += savingOf(copy);
    if (savingOf(layer) <= lost * HYSTERESIS_RATIO) return undefined;
  }
  return free >= layer.size ? instead : undefined;
}
