// nginx, which serves the image's files with sendfile: how fast the machine can answer at all. It is
// no mirror: it verifies nothing and knows no upstream.
import { spawnSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { startChild } from '../lib/child.ts';
import { blobPath, manifestMediaType, manifestPath, tag } from '../lib/image.ts';
import { findProgram } from './find-program.ts';
import type { InstalledPeer, Peer, PeerOptions } from './peer.ts';

const startTimeoutMs = 10_000;
const pollMs = 20;

function configuration(folder: string, port: number): string {
  const isRoot = process.getuid?.() === 0;
  return `daemon off;
${isRoot ? 'user root;' : ''}
worker_processes auto;
pid ${folder}/nginx.pid;
error_log stderr;
events { worker_connections 1024; }
http {
  access_log ${folder}/access.log;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  default_type ${manifestMediaType};
  server { listen 127.0.0.1:${port}; root ${folder}/root; }
}
`;
}

async function linkImage(options: PeerOptions): Promise<void> {
  if (options.image === undefined) {
    return;
  }
  const { manifest, config, layers } = options.image;
  const files = [
    [manifestPath(tag), manifest.file],
    [manifestPath(manifest.digest), manifest.file],
    ...[config, ...layers].map(({ digest, file }) => [blobPath(digest), file]),
  ] as const;
  for (const [path = '', file = ''] of files) {
    const link = join(options.folder, 'root', path);
    await mkdir(dirname(link), { recursive: true });
    await symlink(file, link);
  }
}

/** A port that was free a moment ago: nginx cannot say which one it was given for port 0. */
async function findFreePort(): Promise<number> {
  const server = createServer();
  return await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

async function waitUntilOpen(port: number): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  const isOpen = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  while (!(await isOpen())) {
    if (performance.now() > deadline) {
      throw new Error(`nginx does not listen on port ${port}`);
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function start(program: string, options: PeerOptions): Promise<Peer> {
  await mkdir(options.folder, { recursive: true });
  await linkImage(options);
  const port = await findFreePort();
  const file = join(options.folder, 'nginx.conf');
  await writeFile(file, configuration(options.folder, port));
  const child = startChild({ ...options, name: 'nginx', command: [program, '-c', file] });
  await waitUntilOpen(port);
  return { name: 'nginx', url: `http://127.0.0.1:${port}`, pid: child.pid, stop: child.stop };
}

export function findNginx(): InstalledPeer | undefined {
  const program = findProgram('nginx');
  if (program === undefined) {
    return undefined;
  }
  const { stderr } = spawnSync(program, ['-v'], { encoding: 'utf8' });
  const version = /nginx\/(\S+)/.exec(stderr)?.[1] ?? 'of unknown version';
  return { name: 'nginx', version, start: (options) => start(program, options) };
}
