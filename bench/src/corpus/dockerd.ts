// dockerd with its own builder: its layers are Go's gzip.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { startChild } from '../lib/child.ts';
import type { Cleanup } from '../lib/cleanup.ts';
import { findProgram } from '../peers/find-program.ts';
import {
  buildArguments,
  buildEpoch,
  type Engine,
  localName,
  oneAtATime,
  remoteName,
} from './engine.ts';
import { dockerfilePath, type ImageRecipe } from './recipes.ts';
import { runLogged } from './run-logged.ts';
import { unmountBelow } from './unmount.ts';

export interface EngineOptions {
  /** Images and layers. */
  readonly data: string;
  /** Sockets and logs: short, as paths of sockets have at most 107 bytes. */
  readonly folder: string;
  /** `host:port` of the registry. */
  readonly host: string;
  readonly cleanup: Cleanup;
}

/** dockerd ends the containers that run before it ends. */
const stopTimeoutMs = 20_000;

export async function startDockerd(options: EngineOptions): Promise<Engine> {
  const { data, folder, host, cleanup } = options;
  const [dockerd, docker] = ['dockerd', 'docker'].map((name) => findProgram(name) ?? name);
  const socket = `unix://${join(folder, 'docker.sock')}`;
  const child = startChild({
    name: 'dockerd',
    command: [
      dockerd ?? '',
      ...['--iptables=false', '--ip6tables=false', '--bridge=none'],
      ...['--data-root', data, '--exec-root', join(folder, 'exec')],
      ...['--pidfile', join(folder, 'docker.pid'), '-H', socket],
    ],
    folder,
    cleanup,
  });
  cleanup.add(() => {
    stopAtOnce(child.pid);
    unmountBelow(folder);
  });
  await child.waitForLine((line) => (line.includes('API listen on') ? true : undefined));
  const client = [docker ?? '', '--config', join(folder, 'client'), '-H', socket];
  const run = (log: string, ...args: readonly string[]): Promise<void> =>
    // The engine's own builder: BuildKit would be another client.
    runLogged([...client, ...args], { log, cleanup, environment: { DOCKER_BUILDKIT: '0' } });
  const line = oneAtATime();
  const ensure = async (image: ImageRecipe, log: string): Promise<void> => {
    const [name, remote] = [localName(image), remoteName(host, image)];
    if (spawnSync(client[0] ?? '', [...client.slice(1), 'image', 'inspect', name]).status !== 0) {
      await run(log, 'pull', '--quiet', remote);
      await run(log, 'tag', remote, name);
      await run(log, 'rmi', '--no-prune', remote);
    }
  };
  return {
    build: async ({ image, context, log }) => {
      if (image.from !== undefined) {
        const { from } = image;
        await line(() => ensure(from, log));
      }
      const [name, remote] = [localName(image), remoteName(host, image)];
      const args = buildArguments(image, buildEpoch);
      const file = ['--file', dockerfilePath(image.file)];
      // The host's network: the bridge is turned off, and packages come from registries.
      await run(log, 'build', '--network', 'host', ...args, ...file, '--tag', name, context);
      await run(log, 'tag', name, remote);
      await run(log, 'push', '--quiet', remote);
      await run(log, 'rmi', '--no-prune', remote);
    },
    save: async (image, file, log) => {
      await line(() => ensure(image, log));
      await run(log, 'save', '--output', file, localName(image));
    },
    drop: async (image, log) => {
      const name = localName(image);
      if (spawnSync(client[0] ?? '', [...client.slice(1), 'image', 'inspect', name]).status === 0) {
        await run(log, 'rmi', name);
      }
    },
    stop: async () => {
      await child.stop();
      unmountBelow(folder);
    },
  };
}

/** From the process's last step, which cannot wait otherwise: dockerd takes its mounts down with it. */
function stopAtOnce(pid: number): void {
  const wait = new Int32Array(new SharedArrayBuffer(4));
  const deadline = Date.now() + stopTimeoutMs;
  try {
    process.kill(pid, 'SIGTERM');
    while (Date.now() < deadline) {
      process.kill(pid, 0);
      Atomics.wait(wait, 0, 0, 100);
    }
  } catch {
    // It is gone, which is what is wanted.
  }
}
