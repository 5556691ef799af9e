// Docker's engine with the proxy in `registry-mirrors`: https://docs.docker.com/docker-hub/image-library/mirror/

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { getProgram, Program, runProgram, tryProgram, until } from '../peers/program.ts';
import type { Client, Mirror } from './client.ts';

/** An engine that also forgets images. */
export interface Dockerd extends Client {
  /** `docker rmi`: its layers go too, unless another image has them. */
  remove(image: { readonly repository: string; readonly tag: string }): Promise<void>;
}

export async function startDockerd(folder: string, mirror: Mirror): Promise<Dockerd> {
  await mkdir(folder, { recursive: true });
  const socket = `unix://${join(folder, 'docker.sock')}`;
  const engine = Program.start([
    getProgram('dockerd'),
    '--iptables=false',
    '--ip6tables=false',
    '--bridge=none',
    ...['--data-root', join(folder, 'data')],
    ...['--exec-root', join(folder, 'exec')],
    ...['--pidfile', join(folder, 'docker.pid')],
    ...['-H', socket],
    ...['--registry-mirror', mirror.url],
    ...['--insecure-registry', mirror.host],
  ]);
  const docker = [getProgram('docker'), '--config', join(folder, 'client'), '-H', socket];
  try {
    await engine.untilPrinted(/API listen on/);
    await until('docker info', async () => (await tryProgram([...docker, 'info'])).code === 0);
  } catch (error) {
    await engine.stop();
    throw error;
  }
  const nameOf = (image: { repository: string; tag: string }): string =>
    `${image.repository.replace(/^library\//, '')}:${image.tag}`;
  return {
    pull: async (image) => {
      await runProgram([...docker, 'pull', '--quiet', nameOf(image)]);
    },
    remove: async (image) => {
      await runProgram([...docker, 'rmi', nameOf(image)]);
    },
    compare: async (t, image) => {
      const text = await runProgram([...docker, 'image', 'inspect', nameOf(image)]);
      const [held] = JSON.parse(text);
      // The id is the digest of the config; its DiffIDs were checked by the engine.
      t.is(held.Id, image.config);
      t.deepEqual(held.RootFS.Layers, image.diffIds);
      t.true(held.RepoDigests[0].endsWith(`@${image.digest}`));
    },
    stop: async () => {
      await engine.stop();
    },
  };
}
