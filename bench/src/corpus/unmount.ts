// Engines leave mounts where they were ended by force, and dockerd one always.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Takes down what is mounted below the folder, so that it can be removed. */
export function unmountBelow(folder: string): void {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  // https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html: the fifth field is the mount point.
  const points = mounts.map((line) => line.split(' ')[4] ?? '');
  for (const point of points.filter((path) => path.startsWith(`${folder}/`)).toReversed()) {
    spawnSync('umount', [point]);
  }
}
