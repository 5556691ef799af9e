// Reads every pack, checks its blocks and hashes its files, and tells which of those that layers need are not
// whole. The layers that need them are found, and taken out, when they are made again.

import { type CheckedPack, type Core, FILE_ID_SIZE, PLACE_SIZE } from 'mica-core/core';
import { hasCode } from '../store/file-error.ts';
import type { Damage } from '../store/verify-store.ts';
import type { FileIndex, LocatedFiles, PackRecord } from './file-index.ts';
import type { PackStore } from './pack-store.ts';

/** Codes of damage behind which the pack has no bytes. */
const ENDS: ReadonlySet<string> = new Set(['PACK_TRUNCATED', 'ENOENT']);

export interface VerifyPacksOptions {
  readonly index: FileIndex;
  readonly packs: Pick<PackStore, 'path'>;
  readonly core: Pick<Core, 'checkPack'>;
  /** Appends nothing more to a damaged pack. */
  readonly repair: boolean;
}

export interface VerifiedPacks {
  readonly packs: number;
  readonly damage: readonly Damage[];
}

export async function verifyPacks(options: VerifyPacksOptions): Promise<VerifiedPacks> {
  const damage: Damage[] = [];
  let packs = 0;
  for await (const pack of options.index.listPacks()) {
    if (pack.size === 0) continue;
    packs += 1;
    const found = await verifyPack(options, pack);
    if (found === undefined) continue;
    damage.push(found);
    if (found.isRepaired) await options.index.sealPack(pack.number);
  }
  return { packs, damage };
}

async function verifyPack(
  { index, packs, core, repair }: VerifyPacksOptions,
  { number, size }: PackRecord,
): Promise<Damage | undefined> {
  const subject = `pack ${number}`;
  // Asked first: what is live now is in the pack's file already.
  const live = await index.filesIn(number);
  let checked: Pick<CheckedPack, 'ids' | 'damage'>;
  try {
    checked = await core.checkPack(packs.path(number), { size });
  } catch (error) {
    // Compaction may have emptied and removed it meanwhile.
    if ((await index.getPack(number)) === undefined) return undefined;
    if (!hasCode(error, 'ENOENT')) {
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: 'unreadable', subject, reason, isRepaired: false };
    }
    checked = { ids: new Uint8Array(), damage: { code: 'ENOENT', offset: 0 } };
  }
  const { code, offset } = checked.damage ?? { code: 'FILE_ID', offset: Number.MAX_SAFE_INTEGER };
  const places = await index.locate(listOthers(live, checked.ids));
  const lost = countLost(places, number, ENDS.has(code) ? Number.MAX_SAFE_INTEGER : offset);
  if (lost === 0) return undefined;
  const reason = `${code} at ${offset}: ${lost} of ${live.length / FILE_ID_SIZE} files are lost`;
  return { kind: 'damaged', subject, reason, isRepaired: repair };
}

/** Ids of live files that are not among the whole ones. */
function listOthers(live: Uint8Array, whole: Uint8Array): Uint8Array {
  const names = new Set<string>();
  for (const id of split(whole)) names.add(String.fromCharCode(...id));
  const others = [...split(live)].filter((id) => !names.has(String.fromCharCode(...id)));
  const ids = new Uint8Array(others.length * FILE_ID_SIZE);
  for (const [at, id] of others.entries()) ids.set(id, at * FILE_ID_SIZE);
  return ids;
}

/**
 * Files of a pack that begin up to an offset. Those behind a damaged header were not looked at: they are
 * whole or not, and whether they are is seen when their layers are made again.
 */
function countLost({ places, packs }: LocatedFiles, pack: number, last: number): number {
  const view = new DataView(places.buffer, places.byteOffset, places.byteLength);
  let lost = 0;
  for (let at = 0; at < places.length; at += PLACE_SIZE) {
    if (packs[view.getUint32(at + PLACE_SIZE - 4, true)] !== pack) continue;
    if (view.getBigUint64(at, true) <= last) lost += 1;
  }
  return lost;
}

function* split(ids: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < ids.length; at += FILE_ID_SIZE) yield ids.subarray(at, at + FILE_ID_SIZE);
}
