// skopeo, crane and regctl copying images out of the proxy by its path form, into plain files.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ImageContent, sha256 } from '../peers/images.ts';
import { getProgram, runProgram } from '../peers/program.ts';
import { compareFiles, type Mirror, pullThreeTimes, type StartClient, testWith } from './client.ts';

interface Copier {
  /** The command that copies an image into a folder. */
  command(name: string, folder: string, mirror: Mirror, home: string): readonly string[];
  /** Where in that folder the files named by digest are. */
  readonly blobs: string;
}

const SKOPEO: Copier = {
  command: (name, folder, _mirror, home) => [
    getProgram('skopeo'),
    ...['--policy', join(home, 'policy.json'), '--registries.d', home],
    ...['copy', '--quiet', '--src-tls-verify=false'],
    `docker://${name}`,
    `dir:${folder}`,
  ],
  blobs: '.',
};

const CRANE: Copier = {
  command: (name, folder) => [
    getProgram('crane'),
    ...['pull', '--insecure', '--format=oci'],
    name,
    folder,
  ],
  blobs: 'blobs/sha256',
};

const REGCTL: Copier = {
  command: (name, folder, mirror) => [
    getProgram('regctl'),
    ...['--host', `reg=${mirror.host},tls=disabled`],
    ...['image', 'copy'],
    name,
    `ocidir://${folder}:copy`,
  ],
  blobs: 'blobs/sha256',
};

/** Copiers keep nothing but what they were told to write. */
function startCopier(copier: Copier): StartClient {
  return async (folder, mirror) => {
    await mkdir(folder, { recursive: true });
    const policy = { default: [{ type: 'insecureAcceptAnything' }] };
    await writeFile(join(folder, 'policy.json'), JSON.stringify(policy));
    const environment = { HOME: folder, TMPDIR: folder };
    const target = (image: ImageContent): string =>
      join(folder, sha256(Buffer.from(image.repository)).slice(-12));
    return {
      pull: async (image) => {
        const name = `${mirror.host}/docker.io/${image.repository}:${image.tag}`;
        await runProgram(copier.command(name, target(image), mirror, folder), { environment });
      },
      compare: (t, image) => compareFiles(t, join(target(image), copier.blobs), image),
      stop: () => Promise.resolve(),
    };
  };
}

testWith('skopeo')('skopeo copy gets the exact images when cold, warm and offline', (t) =>
  pullThreeTimes(t, startCopier(SKOPEO)),
);

testWith('crane')('crane pull gets the exact images when cold, warm and offline', (t) =>
  pullThreeTimes(t, startCopier(CRANE)),
);

testWith('regctl')('regctl image copy gets the exact images when cold, warm and offline', (t) =>
  pullThreeTimes(t, startCopier(REGCTL)),
);
