// Time that work takes by the clock, and time that it keeps the processor busy.

export interface Times {
  readonly wallSeconds: number;
  /** User and kernel mode, all threads of the process. */
  readonly processorSeconds: number;
}

/** Starts; the function stops and gives the times of this process since then. */
export function startStopwatch(): () => Times {
  const processor = process.cpuUsage();
  const wall = performance.now();
  return () => {
    const wallSeconds = (performance.now() - wall) / 1e3;
    const { user, system } = process.cpuUsage(processor);
    return { wallSeconds, processorSeconds: (user + system) / 1e6 };
  };
}
