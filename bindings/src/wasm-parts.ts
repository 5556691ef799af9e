// The parts of a layer that is made again by the WebAssembly core.

import type { JobOptions, LayerSummary, RestoreOptions } from './core.ts';
import type { ByteSource, CoreFiles } from './core-files.ts';
import { openInput, readFully, readInput } from './open-input.ts';
import type { MadePart } from './part-reading.ts';
import type { PartEncoder, PartSource } from './restoration.ts';
import type { Surroundings } from './wasm-layers.ts';
import type { WasmModule, WasmPartEncoder, WasmPartMaker, WasmRestoration } from './wasm-module.ts';

/** Bytes encoded at once: libzstd takes a block of so many, for 50 ms at its highest level. */
const ENCODED_SIZE = 128 << 10;

/** What a restoration holds. */
interface Held {
  readonly restoration: WasmRestoration;
  readonly packs: readonly ByteSource[];
}

/** Lets go of what nobody closed. */
const forgotten = new FinalizationRegistry<Held>((held) => {
  letGo(held).catch(() => {
    // Nobody is there to be told.
  });
});

class WasmPart implements MadePart {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#bytes.length;
  }

  takeInto(into: Uint8Array): void {
    into.set(this.#bytes);
  }

  letGo(): void {
    // JavaScript's own memory.
  }
}

class WasmParts implements PartSource {
  readonly summary: LayerSummary;
  readonly partEnds: Float64Array;
  readonly #held: Held;
  readonly #surroundings: Surroundings;

  constructor(held: Held, surroundings: Surroundings) {
    this.summary = held.restoration.summary();
    this.partEnds = held.restoration.partEnds();
    this.#held = held;
    this.#surroundings = surroundings;
    forgotten.register(this, held, this);
  }

  async part(number: number, { signal }: JobOptions): Promise<MadePart> {
    const maker = this.#held.restoration.part(number);
    try {
      for (;;) {
        // Before each step, as each may take some milliseconds.
        await this.#surroundings.nextTurn();
        signal?.throwIfAborted();
        const bytes = maker.step();
        if (bytes !== undefined) return new WasmPart(bytes);
        await this.#fetch(maker);
      }
    } finally {
      maker.free();
    }
  }

  encoder(): PartEncoder | undefined {
    const encoder = this.#held.restoration.encoder();
    if (encoder === undefined) return undefined;
    return {
      encode: (part, options) => this.#encode(encoder, part, options),
      close: () => encoder.free(),
    };
  }

  async close(): Promise<void> {
    forgotten.unregister(this);
    await letGo(this.#held);
  }

  async #encode(
    encoder: WasmPartEncoder,
    part: MadePart,
    { signal }: JobOptions,
  ): Promise<MadePart> {
    const bytes = new Uint8Array(part.length);
    part.takeInto(bytes);
    const ready: Uint8Array[] = [];
    // An empty part is one too: the last one may be.
    for (let start = 0; start === 0 || start < bytes.length; start += ENCODED_SIZE) {
      await this.#surroundings.nextTurn();
      signal?.throwIfAborted();
      ready.push(encoder.encode(bytes.subarray(start, start + ENCODED_SIZE)));
    }
    return new WasmPart(concat(ready));
  }

  async #fetch(maker: WasmPartMaker): Promise<void> {
    const missing = maker.missing();
    const pack = missing === undefined ? undefined : this.#held.packs[missing.pack];
    if (missing === undefined || pack === undefined) throw new Error('the core asks for no pack');
    maker.give(await readFully(pack, missing.offset, missing.length));
  }
}

/** Reads the recipe and opens the packs. */
export async function openParts(
  module: WasmModule,
  surroundings: Surroundings,
  options: RestoreOptions & JobOptions,
): Promise<PartSource> {
  const { recipe, places, signal } = options;
  const { files } = surroundings;
  signal?.throwIfAborted();
  const bytes = await readInput(files, recipe);
  signal?.throwIfAborted();
  const restoration = new module.OpenedRestoration(bytes, options.packs.length, places);
  const packs: ByteSource[] = [];
  try {
    await openPacks(files, options, packs);
    return new WasmParts({ restoration, packs }, surroundings);
  } catch (error) {
    await letGo({ restoration, packs });
    throw error;
  }
}

async function openPacks(
  files: CoreFiles,
  { packs, signal }: RestoreOptions & JobOptions,
  opened: ByteSource[],
): Promise<void> {
  for (const pack of packs) {
    opened.push(await openInput(files, pack));
    signal?.throwIfAborted();
  }
}

async function letGo({ restoration, packs }: Held): Promise<void> {
  restoration.free();
  await Promise.all(packs.map((pack) => pack.close()));
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
