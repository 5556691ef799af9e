// Installs what the tests with real clients need and the machine lacks. Whatever cannot be had is
// named, and the tests that need it are skipped. Run: `node proxy/dist/test/peers/install.js`.

import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DEBIAN_PEERS, GO_PEERS, type GoPeer } from './catalogue.ts';
import { makeImages } from './images.ts';
import { findProgram, isRoot, PEERS_FOLDER, type RunResult, tryProgram } from './program.ts';

/** Building containerd from source takes about 3 minutes on 2 cores. */
const GO_TIMEOUT_MS = 15 * 60_000;
const APT_TIMEOUT_MS = 10 * 60_000;

/** Fetching one module overlaps with building another. */
const PARALLEL_BUILDS = availableParallelism() > 1 ? 2 : 1;

/** What could not be installed, as lines for a reader. */
export async function installPeers(): Promise<readonly string[]> {
  await mkdir(PEERS_FOLDER, { recursive: true });
  const [packages, programs] = await Promise.all([installPackages(), installGoPeers()]);
  return [...packages, ...programs, ...(await makeImages())];
}

async function installPackages(): Promise<readonly string[]> {
  const missing = Object.entries(DEBIAN_PEERS).filter(([name]) => findProgram(name) === undefined);
  if (missing.length === 0) return [];
  const packages = [...new Set(missing.map(([, name]) => name))];
  if (!isRoot()) return packages.map((name) => `${name}: needs root to be installed`);
  const apt = findProgram('apt-get');
  if (apt === undefined) return packages.map((name) => `${name}: needs apt-get`);
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  await logged('apt-update', [apt, 'update', '-qq'], APT_TIMEOUT_MS, environment);
  const problems: string[] = [];
  const install = [apt, 'install', '-y', '-qq', '--no-install-recommends'];
  const all = await logged('apt', [...install, ...packages], APT_TIMEOUT_MS, environment);
  if (all.code === 0) return problems;
  // One package that cannot be had must not take the others with it.
  for (const name of packages) {
    const one = await logged(`apt-${name}`, [...install, name], APT_TIMEOUT_MS, environment);
    if (one.code !== 0) problems.push(`${name}: ${lastLine(one.errors)}`);
  }
  return problems;
}

async function installGoPeers(): Promise<readonly string[]> {
  const isMissing = (name: string): boolean => findProgram(name) === undefined;
  const queue = GO_PEERS.filter((peer) => Object.keys(peer.programs).some(isMissing));
  if (queue.length === 0) return [];
  const go = findProgram('go');
  if (go === undefined) return queue.map((peer) => `${peer.module}: needs Go`);
  const problems: string[] = [];
  const work = async (): Promise<void> => {
    for (let peer = queue.shift(); peer !== undefined; peer = queue.shift())
      problems.push(...(await installGoPeer(go, peer)));
  };
  await Promise.all(Array.from({ length: PARALLEL_BUILDS }, work));
  return problems;
}

async function installGoPeer(go: string, peer: GoPeer): Promise<readonly string[]> {
  const packages = Object.values(peer.programs).map((path) =>
    [peer.module, path].filter((part) => part !== '').join('/'),
  );
  const targets = packages.map((path) => `${path}@${peer.version}`);
  const names = Object.keys(peer.programs).join('-');
  const result = await logged(names, [go, 'install', ...targets], GO_TIMEOUT_MS, {
    GOBIN: PEERS_FOLDER,
  });
  return result.code === 0 ? [] : [`${names}: ${lastLine(result.errors)}`];
}

/** Runs a program and keeps what it printed; at the lowest priority, as other suites run meanwhile. */
async function logged(
  name: string,
  command: readonly string[],
  timeoutMs: number,
  environment: Readonly<Record<string, string>>,
): Promise<RunResult> {
  const started = Date.now();
  console.log(`# installing ${name}: ${command.slice(0, 3).join(' ')} ...`);
  const nice = findProgram('nice');
  const polite = nice === undefined ? command : [nice, '-n', '19', ...command];
  const result = await tryProgram(polite, { timeoutMs, environment });
  await writeFile(join(PEERS_FOLDER, `${name}.log`), `${result.errors}\n${result.output}`);
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  console.log(`# ${name}: ${result.code === 0 ? 'installed' : 'failed'} after ${seconds} s`);
  return result;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const problem of await installPeers()) console.log(`not installed: ${problem}`);
}
