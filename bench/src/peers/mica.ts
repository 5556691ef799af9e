// Mica itself, with its defaults but for ports, folder and upstream.
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from '../lib/child.ts';
import { parseLine, stringMember } from '../lib/json.ts';
import type { InstalledPeer, Peer, PeerOptions } from './peer.ts';

const program = fileURLToPath(import.meta.resolve('mica/dist/src/adapter/node/main.js'));
const description = fileURLToPath(import.meta.resolve('mica/package.json'));

function configuration(options: PeerOptions): unknown {
  return {
    listen: '127.0.0.1:0',
    admin: '127.0.0.1:0',
    data: join(options.folder, 'data'),
    defaultUpstream: 'bench.test',
    upstreams: { 'bench.test': { url: options.upstream } },
  };
}

async function start(options: PeerOptions): Promise<Peer> {
  await mkdir(options.folder, { recursive: true });
  const file = join(options.folder, 'mica.yaml');
  // JSON is YAML: https://yaml.org/spec/1.2.2/#relation-to-json
  await writeFile(file, JSON.stringify(configuration(options)));
  const child = startChild({
    ...options,
    name: 'mica',
    command: [
      process.execPath,
      ...(options.nodeArguments ?? []),
      program,
      'serve',
      '--config',
      file,
    ],
  });
  const url = await child.waitForLine((line) => {
    const entry = parseLine(line);
    return stringMember(entry, 'msg') === 'listening' ? stringMember(entry, 'listen') : undefined;
  });
  return { name: 'mica', url, pid: child.pid, stop: child.stop };
}

export function findMica(): InstalledPeer {
  const version = stringMember(parseLine(readFileSync(description, 'utf8')), 'version') ?? '';
  return { name: 'mica', version, start };
}
