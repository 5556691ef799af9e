// Runs every suite one after the other and prints one closing line over all of them.
// The HTTP suite runs once per runtime: the Node that runs this, a current LTS Node, and Deno.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

interface Suite {
  readonly title: string;
  /** Arguments for ava: its configuration and the files. */
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * Whether it wants the clients and registries that the installer brings. Such a suite's tests
   * take up to minutes each, so that each is shown when it passes.
   */
  readonly needsPeers?: boolean;
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const PROXY_FOLDER = fileURLToPath(new URL('../../', import.meta.url));
const INSTALLER = fileURLToPath(new URL('peers/install.js', import.meta.url));
const AVA = fileURLToPath(
  new URL('../../../node_modules/ava/entrypoints/cli.mjs', import.meta.url),
);

const SUITES: readonly Suite[] = [
  { title: 'units, HTTP and faults', args: [] },
  {
    title: 'HTTP on a current LTS Node',
    args: ['test/http/*.test.ts'],
    environment: { MICA_TEST_RUNTIME: 'node-lts' },
  },
  {
    title: 'HTTP on Deno',
    args: ['test/http/*.test.ts'],
    environment: { MICA_TEST_RUNTIME: 'deno' },
  },
  {
    title: 'clients, crashes, full disk',
    args: ['--config', 'ava.system.config.js'],
    needsPeers: true,
  },
];

/** Version, plan, totals, and the names of hooks that passed. */
const FRAME = /^(TAP version .*|\d+\.\.\d+|# (tests|pass|skip|todo|fail) \d+|# .* hook|)$/;

const running = new Set<ChildProcess>();

/** Runs a program of this project, gives each line it prints, and resolves with its exit code. */
function runNode(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  onLine: (line: string) => void,
): Promise<number> {
  const child = spawn(process.execPath, args, {
    cwd: PROXY_FOLDER,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  createInterface({ input: child.stdout }).on('line', onLine);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      running.delete(child);
      resolve(code ?? -1);
    });
  });
}

/** Installs what the machine lacks, and gives what it could not have. */
async function installPeers(): Promise<readonly string[]> {
  const missing: string[] = [];
  const code = await runNode([INSTALLER], {}, (line) => {
    console.log(line.startsWith('#') ? line : `# ${line}`);
    if (line.startsWith('not installed: ')) missing.push(line);
  });
  if (code !== 0) missing.push(`not installed: the installer ended with ${code}`);
  return missing;
}

/** Runs one suite and counts its TAP lines (https://testanything.org/tap-version-13-specification.html). */
async function runSuite(suite: Suite): Promise<Counts> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  const showsAll = suite.needsPeers === true || process.env['MICA_TEST_VERBOSE'] !== undefined;
  const code = await runNode([AVA, '--tap', ...suite.args], suite.environment ?? {}, (line) => {
    const kind = readLine(line);
    if (kind === 'passed' || kind === 'failed' || kind === 'skipped') counts[kind] += 1;
    if (kind !== 'frame' && (kind !== 'passed' || showsAll)) console.log(line);
  });
  const ran = counts.passed + counts.failed + counts.skipped;
  if (counts.failed === 0 && (code !== 0 || ran === 0)) {
    counts.failed = 1;
    console.log(`not ok - ${suite.title}: ava ended with ${code} after ${ran} tests`);
  }
  return counts;
}

/** What a line of TAP says: a test's result, details of one, or nothing but the frame around them. */
function readLine(line: string): keyof Counts | 'details' | 'frame' {
  if (line.startsWith('not ok ')) return 'failed';
  if (line.startsWith('ok ')) return /# (SKIP|TODO)/.test(line) ? 'skipped' : 'passed';
  return FRAME.test(line) ? 'frame' : 'details';
}

/** Everything, in order; the installer works beside the suites that do not need it. */
async function runSuites(): Promise<boolean> {
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const installed = installPeers();
  for (const suite of SUITES) {
    if (suite.needsPeers === true) await installed;
    const started = Date.now();
    const counts = await runSuite(suite);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
    const seconds = ((Date.now() - started) / 1000).toFixed(0);
    console.log(
      `# ${suite.title}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped in ${seconds} s`,
    );
  }
  for (const line of await installed) console.log(`# ${line}`);
  if (total.skipped > 0)
    console.log(`# ${total.skipped} skipped: the machine lacks a client or a privilege they need`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    for (const child of running) child.kill(signal);
    // At once, or the next suite would start.
    process.exit(1);
  });

if (!(await runSuites())) process.exitCode = 1;
