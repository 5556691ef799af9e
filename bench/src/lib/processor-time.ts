// Processor time of a process and all its descendants, read from /proc.
import { readFileSync } from 'node:fs';
import { processTree } from './memory.ts';

/** Unit of `utime` and `stime`: sysconf(_SC_CLK_TCK), which is 100 on all of Linux's usual builds. */
const ticksPerSecond = 100;

/** Seconds in user and kernel mode: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export function readProcessorSeconds(pid: number): number {
  const seconds = processTree(pid).map((member) => sumFields(`/proc/${member}/stat`, 11));
  return seconds.reduce((sum, value) => sum + value, 0);
}

/** The same of this process's children that have ended and been waited for. */
export function readEndedChildrenSeconds(): number {
  return sumFields('/proc/self/stat', 13);
}

/** Seconds in the field `index` after the name, and in the next one. */
function sumFields(path: string, index: number): number {
  const stat = readOrEmpty(path);
  // The second field is a name in parentheses, which may itself have spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = fields.slice(index, index + 2);
  return (Number(user ?? 0) + Number(system ?? 0)) / ticksPerSecond;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // The process ended between being listed and being read.
  }
}
