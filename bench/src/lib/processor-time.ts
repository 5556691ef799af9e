// Processor time of a process and all its descendants, read from /proc.
import { readFileSync } from 'node:fs';
import { processTree } from './memory.ts';

/** Unit of `utime` and `stime`: sysconf(_SC_CLK_TCK), which is 100 on all of Linux's usual builds. */
const ticksPerSecond = 100;

/** Seconds in user and kernel mode: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export function readProcessorSeconds(pid: number): number {
  let ticks = 0;
  for (const member of processTree(pid)) {
    const stat = readOrEmpty(`/proc/${member}/stat`);
    // The second field is a name in parentheses, which may itself have spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [user, system] = fields.slice(11, 13);
    ticks += Number(user ?? 0) + Number(system ?? 0);
  }
  return ticks / ticksPerSecond;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // The process ended between being listed and being read.
  }
}
