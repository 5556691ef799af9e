// Reads every pack, checks its blocks and hashes its files, and tells which of those that layers need are not
// whole. The layers that need them are found, and taken out, when they are made again.

import { type CheckedPack, type Core, FILE_ID_SIZE, PLACE_SIZE } from 'mica-core/core';
import { hasCode } from '../store/file-error.ts';
import type { Damage } from '../store/verify-store.ts';
import type { FileIndex, LocatedFiles, PackRecord } from './file-index.ts';
import { nameOf } from './file-names.ts';
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
  options: VerifyPacksOptions,
  { number, size, isSealed }: PackRecord,
): Promise<Damage | undefined> {
  const { index, repair } = options;
  const subject = `pack ${number}`;
  // Asked first: what is live now is in the pack's file already.
  const live = await index.filesIn(number);
  const checked = await checkPack(options, number, size);
  if (checked instanceof Error) {
    return { kind: 'unreadable', subject, reason: checked.message, isRepaired: false };
  }
  if (checked === undefined) return undefined;
  const { code, offset } = checked.damage ?? { code: 'FILE_ID', offset: Number.MAX_SAFE_INTEGER };
  const places = await index.locate(listOthers(live, checked.ids));
  const lost = countLost(places, number, ENDS.has(code) ? Number.MAX_SAFE_INTEGER : offset);
  // Where its header is damaged its blocks are read all the same, but nothing can be appended to it.
  if (lost === 0 && (offset > 0 || isSealed)) return undefined;
  const share = `${lost} of ${live.length / FILE_ID_SIZE} files are lost`;
  return {
    ...{ kind: 'damaged', subject, isRepaired: repair },
    reason: `${code} at ${offset}: ${share}`,
  };
}

/** Undefined when compaction has emptied and removed the pack; the error of the system if there is one. */
async function checkPack(
  { index, packs, core }: VerifyPacksOptions,
  number: number,
  size: number,
): Promise<Pick<CheckedPack, 'ids' | 'damage'> | Error | undefined> {
  try {
    return await core.checkPack(packs.path(number), { size });
  } catch (error) {
    if ((await index.getPack(number)) === undefined) return undefined;
    if (hasCode(error, 'ENOENT')) {
      return { ids: new Uint8Array(), damage: { code: 'ENOENT', offset: 0 } };
    }
    return error instanceof Error ? error : new Error(String(error), { cause: error });
  }
}

/** Ids of live files that are not among the whole ones. */
function listOthers(live: Uint8Array, whole: Uint8Array): Uint8Array {
  const names = new Set<string>();
  for (const id of split(whole)) names.add(nameOf(id));
  const others = [...split(live)].filter((id) => !names.has(nameOf(id)));
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
