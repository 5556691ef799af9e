// Buffers for bodies on their way, used again and again: making them anew costs more than sending
// them. What they take together is bounded, whatever the clients do.

/** Piece that fast clients get, bytes: larger pieces were not faster, 256 KiB was a third slower. */
export const LARGE_BUFFER: number = 1024 * 1024;

/** Piece that slow clients get, and everybody when the pool is used up, bytes. */
export const SMALL_BUFFER: number = 64 * 1024;

/** Most bytes of large buffers that are in use at once. */
const BUDGET = 32 * 1024 * 1024;

/** Most buffers that wait for use, of each size: what 16 fast clients keep in flight. */
const MAX_IDLE = 32;

export class BufferPool {
  readonly #large: Uint8Array[] = [];
  readonly #small: Uint8Array[] = [];
  readonly #budget: number;
  /** Called when no large buffer is free: may give one back. */
  onShortage: () => void = () => undefined;
  #largeInUse = 0;

  constructor(budget: number = BUDGET) {
    this.#budget = budget;
  }

  /** Bytes of large buffers in use. */
  get inUse(): number {
    return this.#largeInUse * LARGE_BUFFER;
  }

  /** A buffer for `wanted` bytes or a part of them. */
  take(wanted: number, isSlow: boolean): Uint8Array {
    const large = wanted <= SMALL_BUFFER || isSlow ? undefined : this.takeLarge();
    return large ?? this.#small.pop() ?? allocate(SMALL_BUFFER);
  }

  /** A large buffer; undefined when the budget is used up. */
  takeLarge(): Uint8Array | undefined {
    if (this.#isUsedUp()) this.onShortage();
    if (this.#isUsedUp()) return undefined;
    this.#largeInUse += 1;
    return this.#large.pop() ?? allocate(LARGE_BUFFER);
  }

  #isUsedUp(): boolean {
    return this.inUse + LARGE_BUFFER > this.#budget;
  }

  /** Takes back a buffer that nobody reads or writes any more. */
  give(buffer: Uint8Array): void {
    const isLarge = buffer.length === LARGE_BUFFER;
    if (isLarge) this.#largeInUse -= 1;
    const idle = isLarge ? this.#large : this.#small;
    if (idle.length < MAX_IDLE) idle.push(buffer);
  }

  /** Forgets a buffer that the system may still hold: memory is freed once it lets go. */
  drop(buffer: Uint8Array): void {
    if (buffer.length === LARGE_BUFFER) this.#largeInUse -= 1;
  }
}

function allocate(size: number): Uint8Array {
  return Buffer.allocUnsafeSlow(size);
}
