// Docker's engine, with a mirror in `registry-mirrors`:
// https://docs.docker.com/docker-hub/image-library/mirror/
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { runProgram } from 'mica-core/streams/program';
import { startChild } from '../lib/child.ts';
import type { Cleanup } from '../lib/cleanup.ts';
import { findProgram } from '../peers/find-program.ts';

export interface DockerdOptions {
  /** Its own. */
  readonly folder: string;
  readonly name: string;
  readonly cleanup: Cleanup;
  /** URL of the mirror. */
  readonly mirror: string;
}

export interface Dockerd {
  /** Gives the seconds that it took. */
  readonly pull: (name: string) => Promise<number>;
  /** DiffIDs of a pulled image, which the engine checked. */
  readonly readDiffIds: (name: string) => Promise<readonly string[]>;
  readonly remove: (name: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Whether pulls by Docker can be measured here. */
export function hasDockerd(): boolean {
  return ['dockerd', 'docker'].every(findProgram) && process.getuid?.() === 0;
}

const startTimeoutMs = 30_000;
const pollMs = 200;

export async function startDockerd(options: DockerdOptions): Promise<Dockerd> {
  const { folder, name, cleanup, mirror } = options;
  const [engine = 'dockerd', client = 'docker'] = ['dockerd', 'docker'].map(findProgram);
  await mkdir(folder, { recursive: true });
  const socket = `unix://${join(folder, 'docker.sock')}`;
  const command = [
    ...[engine, '--iptables=false', '--ip6tables=false', '--bridge=none', '-H', socket],
    ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')],
    ...['--pidfile', join(folder, 'docker.pid'), '--registry-mirror', mirror],
    ...['--insecure-registry', new URL(mirror).host],
  ];
  const child = startChild({ name, command, folder, cleanup });
  await child.waitForLine((line) => /API listen on/.test(line) || undefined);
  const docker = (...args: readonly string[]): Promise<string> =>
    runProgram([client, '--config', join(folder, 'client'), '-H', socket, ...args]);
  await untilAnswering(docker);
  return {
    pull: async (image) => {
      const startedAt = performance.now();
      await docker('pull', '--quiet', image);
      return (performance.now() - startedAt) / 1e3;
    },
    readDiffIds: async (image) => {
      const text = await docker('image', 'inspect', '--format', '{{json .RootFS.Layers}}', image);
      const diffIds: readonly string[] = JSON.parse(text);
      return diffIds;
    },
    remove: async (image) => {
      await docker('rmi', '--force', image);
    },
    stop: child.stop,
  };
}

async function untilAnswering(docker: (command: string) => Promise<string>): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  for (;;) {
    try {
      await docker('info');
      return;
    } catch (error) {
      if (performance.now() > deadline) {
        throw error;
      }
      await wait(pollMs);
    }
  }
}
