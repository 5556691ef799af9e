// A progress bar in bytes on standard error, for people only.

import { SingleBar } from 'cli-progress';
import { formatBytes } from '../admin/page/format-bytes.ts';
import type { Terminal } from './terminal.ts';

export interface Progress {
  /** Bytes done and in total; both may grow. */
  update(done: number, total: number): void;
  /** Takes the bar away. */
  stop(): void;
}

const NO_PROGRESS: Progress = { update: () => undefined, stop: () => undefined };

/** Starts a bar with a name before it; shows nothing when nobody looks. */
export function startProgress(terminal: Terminal, name: string): Progress {
  if (!terminal.isTerminal) return NO_PROGRESS;
  const bar = new SingleBar({
    format: `${name} {bar} {percentage}% {value}/{total} {eta_formatted}`,
    formatValue: (value, _, type) =>
      type === 'value' || type === 'total' ? formatBytes(value) : String(value),
    clearOnComplete: true,
    hideCursor: true,
    etaBuffer: 50,
  });
  return {
    update: (done, total) => {
      // Started late: of nothing in total everything would seem to be done.
      if (!bar.isActive) bar.start(total, done);
      bar.setTotal(total);
      bar.update(done);
    },
    stop: () => bar.stop(),
  };
}
