// How much memory all layers together take while they are made again.
//
// Each run holds a window of what it gave, and parts that are made ahead: one more than the core has
// threads, 1 MiB each. All runs share the core's blocks (48 MiB, of one layer 12 MiB), buffers of parts to
// come (8 MiB), and what its threads work with (10 MiB each at most). With 12 runs on two cores that is at
// most 48 + 12 * 3 + 48 + 8 + 2 * 10 = 160 MiB, when as many clients read as many different layers; a layer
// that is open without a run takes only the index of its recipe and the places of its files.

/** Runs at the same time. One more takes the place of the one that nobody has asked for longest. */
const MAX_RUNS = 12;

/** Bytes of the windows of all runs together. */
const WINDOWS_SIZE = 48 * 1024 * 1024;

/** Bytes that one run keeps of what it gave: how far readers that share it may be apart. */
const MAX_WINDOW_SIZE = 8 * 1024 * 1024;

/** A run as far as its limits go. */
export interface LimitedRun {
  /** Settles when the piece that is being made is there; absent when none is. */
  readonly pulling: Promise<unknown> | undefined;
  /** Ends it; its readers begin another one. */
  close(): void;
}

export class RunLimits {
  readonly #maxRuns: number;
  /** The one that was asked longest ago in front. */
  readonly #runs: Set<LimitedRun> = new Set();

  constructor(maxRuns: number = MAX_RUNS) {
    this.#maxRuns = maxRuns;
  }

  get runs(): number {
    return this.#runs.size;
  }

  /** Whether runs that nobody asked for yet take nothing from others. */
  get isRoomy(): boolean {
    return this.#runs.size < this.#maxRuns / 2;
  }

  /** Bytes that each run may hold now. */
  get windowSize(): number {
    return Math.min(MAX_WINDOW_SIZE, WINDOWS_SIZE / Math.max(1, this.#runs.size));
  }

  /** Adds a run once there is room for it. */
  async begin<Run extends LimitedRun>(make: () => Run): Promise<Run> {
    while (this.#runs.size >= this.#maxRuns) {
      const idle = [...this.#runs].find((run) => run.pulling === undefined);
      if (idle === undefined) await Promise.race([...this.#runs].map((run) => run.pulling));
      else idle.close();
    }
    const run = make();
    this.#runs.add(run);
    return run;
  }

  /** Notes that a run was asked for bytes. */
  used(run: LimitedRun): void {
    if (this.#runs.delete(run)) this.#runs.add(run);
  }

  end(run: LimitedRun): void {
    this.#runs.delete(run);
  }
}
