// What must be undone when a benchmark ends, however it ends: all steps are synchronous, so that
// they also run from the `exit` event after Ctrl-C.

export interface Cleanup {
  /** Registers a step; the returned function takes it back without running it. */
  readonly add: (step: () => void) => () => void;
  /** Runs the steps, last one first, each once. A step that fails does not keep the others from running. */
  readonly run: () => void;
}

export function createCleanup(): Cleanup {
  const steps: (() => void)[] = [];
  const run = (): void => {
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      try {
        step();
      } catch (error) {
        console.error(`cleanup: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  const add = (step: () => void): (() => void) => {
    steps.push(step);
    return () => {
      const index = steps.indexOf(step);
      if (index >= 0) {
        steps.splice(index, 1);
      }
    };
  };
  return { add, run };
}

// 128 + the signal's number, as shells report it.
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Runs `cleanup` at the end of the process, also on SIGINT, SIGTERM and SIGHUP. */
export function cleanUpAtExit(cleanup: Cleanup): void {
  process.on('exit', cleanup.run);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => process.exit(exitCodes[signal]));
  }
}
