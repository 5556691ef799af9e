// Resident memory of a process and all its descendants, read from /proc.
import { readdirSync, readFileSync } from 'node:fs';

/** Resident bytes by kind, as in https://man7.org/linux/man-pages/man5/proc_pid_status.5.html. */
export interface Memory {
  /** VmRSS: all resident pages, among them pages of mapped files. */
  readonly resident: number;
  /** RssAnon: heap, stacks and buffers. */
  readonly anonymous: number;
}

const sampleMs = 100;
const kibibyte = 1024;

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // The process or thread ended between being listed and being read.
  }
}

function threads(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // The process has ended.
  }
}

/** `pid` and its descendants. */
export function processTree(pid: number): readonly number[] {
  const children = threads(pid)
    .flatMap((thread) => readOrEmpty(`/proc/${pid}/task/${thread}/children`).split(' '))
    .filter((text) => text !== '')
    .map(Number);
  return [pid, ...children.flatMap((child) => processTree(child))];
}

/** A value in kB of `/proc/<pid>/status`, in bytes; 0 if it is not there. */
export function statusBytes(status: string, key: string): number {
  const match = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status);
  return Number(match?.[1] ?? 0) * kibibyte;
}

export function readMemory(pid: number): Memory {
  let resident = 0;
  let anonymous = 0;
  for (const member of processTree(pid)) {
    const status = readOrEmpty(`/proc/${member}/status`);
    resident += statusBytes(status, 'VmRSS');
    anonymous += statusBytes(status, 'RssAnon');
  }
  return { resident, anonymous };
}

export interface MemoryWatch {
  /** Ends the sampling and returns the highest values seen. */
  readonly stop: () => Memory;
}

/** Samples the memory of `pid` and its descendants until stopped. */
export function watchMemory(pid: number): MemoryWatch {
  let peak = readMemory(pid);
  const sample = (): void => {
    const now = readMemory(pid);
    peak = {
      resident: Math.max(peak.resident, now.resident),
      anonymous: Math.max(peak.anonymous, now.anonymous),
    };
  };
  const timer = setInterval(sample, sampleMs);
  return {
    stop: () => {
      clearInterval(timer);
      sample();
      return peak;
    },
  };
}
