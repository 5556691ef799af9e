// podman with a mirror in registries.conf, a prefix of the path: https://github.com/containers/image/blob/v5.23.1/docs/containers-registries.conf.5.md

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getProgram, runProgram } from '../peers/program.ts';
import { type Client, type Mirror, pullThreeTimes, testWith } from './client.ts';

function registriesFile(mirror: Mirror): string {
  return [
    '[[registry]]',
    'prefix = "docker.io"',
    // The registry itself is a port that refuses, so that only the mirror can answer.
    'location = "127.0.0.1:1"',
    '[[registry.mirror]]',
    `location = ${JSON.stringify(`${mirror.host}/docker.io`)}`,
    'insecure = true',
    '',
  ].join('\n');
}

function storageFile(folder: string): string {
  return [
    '[storage]',
    'driver = "overlay"',
    `graphroot = ${JSON.stringify(join(folder, 'root'))}`,
    `runroot = ${JSON.stringify(join(folder, 'run'))}`,
    '',
  ].join('\n');
}

async function startPodman(folder: string, mirror: Mirror): Promise<Client> {
  await mkdir(folder, { recursive: true });
  const registries = join(folder, 'registries.conf');
  const policy = join(folder, 'policy.json');
  const storage = join(folder, 'storage.conf');
  await writeFile(registries, registriesFile(mirror));
  await writeFile(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
  await writeFile(storage, storageFile(folder));
  const environment = {
    HOME: folder,
    TMPDIR: folder,
    CONTAINERS_REGISTRIES_CONF: registries,
    CONTAINERS_CONF: '/dev/null',
    CONTAINERS_STORAGE_CONF: storage,
  };
  const podman = (...args: readonly string[]): Promise<string> =>
    runProgram(
      [
        getProgram('podman'),
        // Also here: podman's own database follows these, not the storage configuration.
        ...['--root', join(folder, 'root')],
        ...['--runroot', join(folder, 'run')],
        ...['--tmpdir', join(folder, 'tmp')],
        ...['--cgroup-manager', 'cgroupfs'],
        ...['--events-backend', 'none'],
        ...args,
      ],
      { environment },
    );
  const nameOf = (image: { repository: string; tag: string }): string =>
    `docker.io/${image.repository}:${image.tag}`;
  return {
    pull: async (image) => {
      await podman('pull', '--quiet', '--signature-policy', policy, nameOf(image));
    },
    compare: async (t, image) => {
      const [held] = JSON.parse(await podman('image', 'inspect', nameOf(image)));
      // The id is the hex of the config's digest; the DiffIDs were checked by the engine.
      t.is(`sha256:${held.Id}`, image.config);
      t.deepEqual(held.RootFS.Layers, image.diffIds);
      t.true(held.RepoDigests.some((name: string) => name.endsWith(`@${image.digest}`)));
    },
    stop: async () => {
      // Unmounts what the storage driver keeps mounted, so that the folder can go.
      await podman('system', 'prune', '--all', '--force');
    },
  };
}

testWith('podman')(
  'podman pull through registries.conf gets the exact images when cold, warm and offline',
  (t) => pullThreeTimes(t, startPodman),
);
