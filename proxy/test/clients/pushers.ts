// Clients that make an image of a tree of files and push it, each with its own compressor.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../peers/images.ts';
import { getProgram, Program, runProgram, tryProgram, until } from '../peers/program.ts';

export interface PushOptions {
  /** Empty. */
  readonly folder: string;
  /** A folder with a file system's files, and the tar of it. */
  readonly tree: string;
  readonly tar: string;
  /** `host:port/repository:tag` that the image is pushed as. */
  readonly name: string;
  /** `host:port` of the registry, which has no TLS. */
  readonly host: string;
}

/** Makes an image of the tree by one client, and pushes it. */
export type Push = (options: PushOptions) => Promise<void>;

/** The layer that comes upon the whole tree. */
const UPPER = 'COPY etc /srv/etc';

export const pushByDockerd: Push = async ({ folder, tar, tree, name, host }) => {
  const socket = `unix://${join(folder, 'docker.sock')}`;
  const engine = Program.start([
    getProgram('dockerd'),
    ...['--iptables=false', '--ip6tables=false', '--bridge=none'],
    ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')],
    ...['--pidfile', join(folder, 'docker.pid'), '-H', socket, '--insecure-registry', host],
  ]);
  const client = [getProgram('docker'), '--config', join(folder, 'client'), '-H', socket];
  // The engine's own builder: BuildKit would be another client.
  const environment = { DOCKER_BUILDKIT: '0' };
  const docker = (...args: readonly string[]): Promise<string> =>
    runProgram([...client, ...args], { environment });
  try {
    await engine.untilPrinted(/API listen on/);
    await until('docker info', async () => (await tryProgram([...client, 'info'])).code === 0);
    await docker('import', tar, 'base:latest');
    const file = join(folder, 'Dockerfile');
    await writeFile(file, `FROM base:latest\n${UPPER}\n`);
    await docker('build', '--quiet', '--tag', name, '--file', file, tree);
    await docker('push', '--quiet', name);
  } finally {
    await engine.stop();
  }
};

/** Runs buildah or podman with a store of its own. */
type Containers = (program: string, ...args: readonly string[]) => Promise<string>;

async function containersIn(folder: string): Promise<Containers> {
  const storage = join(folder, 'storage.conf');
  const policy = join(folder, 'policy.json');
  await writeFile(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
  const [root, runRoot] = [join(folder, 'root'), join(folder, 'run')];
  const settings = [
    '[storage]',
    'driver = "vfs"',
    `graphroot = ${JSON.stringify(root)}`,
    `runroot = ${JSON.stringify(runRoot)}`,
    '',
  ];
  await writeFile(storage, settings.join('\n'));
  const environment = {
    HOME: folder,
    TMPDIR: folder,
    CONTAINERS_CONF: '/dev/null',
    CONTAINERS_STORAGE_CONF: storage,
    BUILDAH_ISOLATION: 'chroot',
  };
  const store = ['--root', root, '--runroot', runRoot];
  return (program, ...args) => {
    // Here too: podman's own database follows these, not the storage configuration.
    const own = program === 'podman' ? ['--tmpdir', join(folder, 'tmp')] : [];
    const events = program === 'podman' ? ['--events-backend', 'none'] : [];
    return runProgram([getProgram(program), ...store, ...own, ...events, ...args], { environment });
  };
}

const signaturePolicy = (folder: string): readonly string[] => [
  '--signature-policy',
  join(folder, 'policy.json'),
];

/** One layer by `bud`, another by `commit` of a container. */
export const pushByBuildah: Push = async ({ folder, tree, name }) => {
  const containers = await containersIn(folder);
  const buildah = (...args: readonly string[]): Promise<string> => containers('buildah', ...args);
  const policy = signaturePolicy(folder);
  const file = join(folder, 'Containerfile');
  await writeFile(file, 'FROM scratch\nCOPY . /\n');
  await buildah('bud', ...policy, '--quiet', '--tag', 'base:latest', '--file', file, tree);
  const container = (await buildah('from', ...policy, 'localhost/base:latest')).trim();
  await buildah('copy', '--quiet', container, join(tree, 'etc'), '/srv/etc');
  await buildah('commit', ...policy, '--quiet', container, name);
  await buildah('push', ...policy, '--quiet', '--tls-verify=false', name);
  await buildah('rm', '--all');
};

export const pushByPodman: Push = async ({ folder, tar, tree, name }) => {
  const containers = await containersIn(folder);
  const podman = (...args: readonly string[]): Promise<string> => containers('podman', ...args);
  const policy = signaturePolicy(folder);
  await podman('import', '--quiet', tar, 'localhost/base:latest');
  const file = join(folder, 'Containerfile');
  await writeFile(file, `FROM localhost/base:latest\n${UPPER}\n`);
  await podman('build', ...policy, '--quiet', '--tag', name, '--file', file, tree);
  await podman('push', ...policy, '--quiet', '--tls-verify=false', name);
};

/** From an archive as `docker save` writes it: its layers are plain. */
export const pushBySkopeo: Push = async ({ folder, tar, name }) => {
  const image = join(folder, 'image');
  await mkdir(image);
  await runProgram(['cp', tar, join(image, 'layer.tar')]);
  const diffId = sha256(await readFile(tar));
  const config = {
    ...{ architecture: 'amd64', os: 'linux', config: {} },
    rootfs: { type: 'layers', diff_ids: [diffId] },
  };
  const manifest = [{ Config: 'config.json', RepoTags: ['saved:latest'], Layers: ['layer.tar'] }];
  await writeFile(join(image, 'config.json'), JSON.stringify(config));
  await writeFile(join(image, 'manifest.json'), JSON.stringify(manifest));
  const archive = join(folder, 'saved.tar');
  await runProgram([getProgram('tar'), '-cf', archive, '-C', image, '.']);
  const policy = join(folder, 'policy.json');
  await writeFile(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
  await runProgram(
    [
      ...[getProgram('skopeo'), '--policy', policy, 'copy', '--quiet', '--dest-tls-verify=false'],
      ...[`docker-archive:${archive}`, `docker://${name}`],
    ],
    { environment: { HOME: folder, TMPDIR: folder } },
  );
};

export const pushByCrane: Push = async ({ folder, tar, tree, name }) => {
  const upper = join(folder, 'upper.tar');
  await runProgram([getProgram('tar'), '-cf', upper, '-C', tree, 'etc']);
  const layers = ['-f', tar, '-f', upper];
  const crane = [getProgram('crane'), '--insecure', 'append', '--oci-empty-base', ...layers];
  await runProgram([...crane, '-t', name]);
};
