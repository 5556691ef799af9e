// buildah, with a store of its own: its layers are pgzip's, one for each Dockerfile.
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../peers/find-program.ts';
import type { EngineOptions } from './dockerd.ts';
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

export async function startBuildah(options: EngineOptions): Promise<Engine> {
  const { data, folder, host, cleanup } = options;
  const buildah = findProgram('buildah') ?? 'buildah';
  await Promise.all([mkdir(data, { recursive: true }), mkdir(folder, { recursive: true })]);
  const [root, runRoot] = [join(data, 'root'), join(folder, 'run')];
  const storage = join(folder, 'storage.conf');
  const policy = ['--signature-policy', join(folder, 'policy.json')];
  await writeFile(
    join(folder, 'policy.json'),
    JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }),
  );
  const settings = [
    '[storage]',
    'driver = "overlay"',
    `graphroot = ${JSON.stringify(root)}`,
    `runroot = ${JSON.stringify(runRoot)}`,
    '',
  ];
  await writeFile(storage, settings.join('\n'));
  const temporary = join(data, 'tmp');
  await mkdir(temporary, { recursive: true });
  const environment = {
    HOME: folder,
    TMPDIR: temporary,
    CONTAINERS_CONF: '/dev/null',
    CONTAINERS_STORAGE_CONF: storage,
    BUILDAH_ISOLATION: 'chroot',
  };
  const command = [buildah, '--root', root, '--runroot', runRoot, '--storage-driver', 'overlay'];
  const run = (log: string, ...args: readonly string[]): Promise<void> =>
    runLogged([...command, ...args], { log, cleanup, environment });
  const has = (image: ImageRecipe): boolean =>
    spawnSync(buildah, [...command.slice(1), 'inspect', '--type', 'image', localName(image)], {
      env: { ...process.env, ...environment },
    }).status === 0;
  const line = oneAtATime();
  const ensure = async (image: ImageRecipe, log: string): Promise<void> => {
    if (!has(image)) {
      const remote = remoteName(host, image);
      await run(log, 'pull', ...policy, '--quiet', '--tls-verify=false', remote);
      await run(log, 'tag', remote, localName(image));
      await run(log, 'rmi', remote);
    }
  };
  return {
    build: async ({ image, context, log }) => {
      if (image.from !== undefined) {
        const { from } = image;
        await line(() => ensure(from, log));
      }
      const name = localName(image);
      const args = buildArguments(image, buildEpoch);
      const network = ['--network', 'host', '--timestamp', `${buildEpoch}`];
      const file = ['--file', dockerfilePath(image.file)];
      await run(log, 'bud', ...policy, ...network, ...args, ...file, '--tag', name, context);
      const target = `docker://${remoteName(host, image)}`;
      await run(log, 'push', ...policy, '--quiet', '--tls-verify=false', name, target);
    },
    drop: async (image, log) => {
      if (has(image)) {
        // By force: containers of the stages of a Dockerfile stay, and use it.
        await run(log, 'rmi', '--force', localName(image));
      }
    },
    stop: async () => {
      await Promise.resolve();
    },
  };
}
