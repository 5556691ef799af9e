// Which layers a client has pulled already, and so has no need to ask for again.
//
// A client's entry has 12 bytes for each layer, the last one first: the end of its digest (8), and the
// hour of the pull since the epoch (4).

import { type Digest, digestHex } from '../oci/digest.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { Dated, HistoryTable } from './history-table.ts';

/** Clients that are remembered: 6 KiB each at most. */
export const MAX_CLIENTS = 2000;

/** Layers that are remembered of one: some tens of images. */
const MAX_LAYERS = 512;

/** How long it is taken for granted that a client still has a layer, hours: a month. */
const FORGET_HOURS = 30 * 24;

const HOUR_MS = 60 * 60 * 1000;

const ENTRY_SIZE = 12;

export interface PulledRecord extends Dated {
  readonly layers: Uint8Array;
}

export interface PulledLayersOptions {
  readonly table: HistoryTable<PulledRecord>;
  readonly clock: Pick<Clock, 'now'>;
}

export class PulledLayers {
  readonly #options: PulledLayersOptions;

  constructor(options: PulledLayersOptions) {
    this.#options = options;
  }

  note(client: string, digest: Digest): void {
    const { table, clock } = this.#options;
    const before = table.get(client)?.layers ?? new Uint8Array();
    const at = find(before, digest);
    const kept = at === undefined ? before : without(before, at);
    const layers = new Uint8Array(Math.min(kept.length + ENTRY_SIZE, MAX_LAYERS * ENTRY_SIZE));
    layers.set(kept.subarray(0, layers.length - ENTRY_SIZE), ENTRY_SIZE);
    const view = new DataView(layers.buffer);
    view.setBigUint64(0, shortOf(digest));
    view.setUint32(8, this.#hour());
    table.set(client, { layers, atMs: clock.now() });
  }

  has(client: string, digest: Digest): boolean {
    const layers = this.#options.table.get(client)?.layers;
    const at = layers === undefined ? undefined : find(layers, digest);
    if (layers === undefined || at === undefined) return false;
    return this.#hour() - viewOf(layers).getUint32(at + 8) <= FORGET_HOURS;
  }

  #hour(): number {
    return Math.floor(this.#options.clock.now() / HOUR_MS);
  }
}

function shortOf(digest: Digest): bigint {
  return BigInt(`0x${digestHex(digest).slice(-16)}`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Offset of a layer's entry. */
function find(layers: Uint8Array, digest: Digest): number | undefined {
  const view = viewOf(layers);
  const wanted = shortOf(digest);
  for (let at = 0; at + ENTRY_SIZE <= layers.length; at += ENTRY_SIZE) {
    if (view.getBigUint64(at) === wanted) return at;
  }
  return undefined;
}

function without(layers: Uint8Array, at: number): Uint8Array {
  const rest = new Uint8Array(layers.length - ENTRY_SIZE);
  rest.set(layers.subarray(0, at));
  rest.set(layers.subarray(at + ENTRY_SIZE), at);
  return rest;
}
