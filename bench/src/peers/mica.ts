// Mica itself, with its defaults but for ports, folder and upstream.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from '../lib/child.ts';
import { member, parseLine, stringMember } from '../lib/json.ts';
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
    ...options.settings,
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
  const entry = await child.waitForLine((line) => {
    const found = parseLine(line);
    return stringMember(found, 'msg') === 'listening' ? found : undefined;
  });
  const url = stringMember(entry, 'listen') ?? '';
  const admin = stringMember(entry, 'admin') ?? '';
  return { name: 'mica', url, admin, pid: child.pid, stop: child.stop };
}

/** Whether the configuration has a key of `dedup`, which older versions refuse. */
export function hasDedupKey(key: string): boolean {
  const command = [program, 'config', 'schema'];
  const { stdout } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  const dedup = member(member(parseLine(stdout), 'properties'), 'dedup');
  return member(member(dedup, 'properties'), key) !== undefined;
}

export function findMica(): InstalledPeer {
  const version = stringMember(parseLine(readFileSync(description, 'utf8')), 'version') ?? '';
  return { name: 'mica', version, start };
}
