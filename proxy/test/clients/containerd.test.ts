// containerd with a hosts.toml, whose requests carry `?ns=`: https://github.com/containerd/containerd/blob/v2.1.0/docs/hosts.md

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getProgram, Program, runProgram, tryProgram, until } from '../peers/program.ts';
import { type Client, compareFiles, type Mirror, pullThreeTimes, testWith } from './client.ts';

const CONTENT_FOLDER = 'io.containerd.content.v1.content/blobs/sha256';

/** Nothing but pulling is wanted; CRI would need a network set up. */
function engineConfig(folder: string, socket: string): string {
  return [
    'version = 3',
    `root = ${JSON.stringify(join(folder, 'root'))}`,
    `state = ${JSON.stringify(join(folder, 'state'))}`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]',
    '[grpc]',
    `address = ${JSON.stringify(socket)}`,
    '',
  ].join('\n');
}

/** The registry itself is a port that refuses, so that only the mirror can answer. */
function hostsFile(mirror: Mirror): string {
  return [
    'server = "http://127.0.0.1:1"',
    `[host.${JSON.stringify(mirror.url)}]`,
    '  capabilities = ["pull", "resolve"]',
    '',
  ].join('\n');
}

async function startContainerd(folder: string, mirror: Mirror): Promise<Client> {
  const hosts = join(folder, 'hosts');
  await mkdir(join(hosts, 'docker.io'), { recursive: true });
  await writeFile(join(hosts, 'docker.io', 'hosts.toml'), hostsFile(mirror));
  const config = join(folder, 'config.toml');
  const socket = join(folder, 'containerd.sock');
  await writeFile(config, engineConfig(folder, socket));
  const engine = Program.start([getProgram('containerd'), '--config', config]);
  const ctr = [getProgram('ctr'), '--address', socket];
  try {
    await until('ctr version', async () => (await tryProgram([...ctr, 'version'])).code === 0);
  } catch (error) {
    await engine.stop();
    throw error;
  }
  return {
    pull: async (image) => {
      const name = `docker.io/${image.repository}:${image.tag}`;
      await runProgram([...ctr, 'images', 'pull', '--hosts-dir', hosts, name]);
    },
    compare: (t, image) => compareFiles(t, join(folder, 'root', CONTENT_FOLDER), image),
    stop: async () => {
      await engine.stop();
    },
  };
}

testWith('containerd', 'ctr')(
  'ctr images pull through hosts.toml gets the exact images when cold, warm and offline',
  (t) => pullThreeTimes(t, startContainerd),
);
