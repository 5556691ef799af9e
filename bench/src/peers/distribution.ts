// distribution, the reference registry, as a mirror of the upstream, with the configuration of its
// official image: https://github.com/distribution/distribution-library-image/blob/main/config-example.yml
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild } from '../lib/child.ts';
import { findProgram } from './find-program.ts';
import type { InstalledPeer, Peer, PeerOptions } from './peer.ts';

interface Role {
  readonly data: string;
  readonly proxy?: { readonly remoteurl: string };
  readonly maintenance?: unknown;
}

function configuration({ data, proxy, maintenance }: Role): unknown {
  return {
    version: 0.1,
    log: { fields: { service: 'registry' } },
    storage: {
      cache: { blobdescriptor: 'inmemory' },
      filesystem: { rootdirectory: data },
      ...(maintenance === undefined ? {} : { maintenance }),
    },
    http: { addr: '127.0.0.1:0', headers: { 'X-Content-Type-Options': ['nosniff'] } },
    health: { storagedriver: { enabled: true, interval: '10s', threshold: 3 } },
    ...(proxy === undefined ? {} : { proxy }),
  };
}

interface RegistryOptions extends Pick<PeerOptions, 'folder' | 'cleanup' | 'namespace'> {
  readonly name: string;
  readonly role: Role;
}

async function startRegistry(program: string, options: RegistryOptions): Promise<Peer> {
  await mkdir(options.folder, { recursive: true });
  const file = join(options.folder, 'config.yml');
  await writeFile(file, JSON.stringify(configuration(options.role)));
  const child = startChild({
    ...options,
    command: [program, 'serve', file],
    // Its default sends traces to a collector, which there is not.
    environment: { OTEL_TRACES_EXPORTER: 'none' },
  });
  const host = await child.waitForLine(
    (line) => /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1] ?? undefined,
  );
  return { name: 'distribution', url: `http://${host}`, pid: child.pid, stop: child.stop };
}

async function start(program: string, options: PeerOptions): Promise<Peer> {
  const role = { data: join(options.folder, 'data'), proxy: { remoteurl: options.upstream } };
  return await startRegistry(program, { ...options, name: 'distribution', role });
}

/** Serves a data folder as it is, as the upstream of others; fails when distribution is not installed. */
export async function startUpstream(
  options: Pick<PeerOptions, 'folder' | 'cleanup'> & { readonly data: string },
): Promise<Peer> {
  const program = findProgram('registry');
  if (program === undefined) {
    throw new Error('the upstream is distribution, which is not installed (program `registry`)');
  }
  // The folder stays as it is.
  const maintenance = { readonly: { enabled: true }, uploadpurging: { enabled: false } };
  const role = { data: options.data, maintenance };
  return await startRegistry(program, { ...options, name: 'upstream', role });
}

export function findDistribution(): InstalledPeer | undefined {
  const program = findProgram('registry');
  if (program === undefined) {
    return undefined;
  }
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  const version = /v(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? 'of unknown version';
  return { name: 'distribution', version, start: (options) => start(program, options) };
}
