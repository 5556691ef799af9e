// The most resident memory of this process while it does something, read from /proc.
import { readFileSync, writeFileSync } from 'node:fs';
import { statusBytes } from './memory.ts';

/** Makes the kernel forget the peak: https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html */
const forgetPeak = '5';

/**
 * Starts; the function gives the bytes by which memory grew since then at most. Only what is newly
 * taken counts, also when it is given back before the end.
 */
export function startPeakMemory(): () => number {
  writeFileSync('/proc/self/clear_refs', forgetPeak);
  const before = readOwn('VmRSS');
  return () => Math.max(0, readOwn('VmHWM') - before);
}

function readOwn(key: string): number {
  return statusBytes(readFileSync('/proc/self/status', 'utf8'), key);
}
