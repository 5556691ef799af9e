// Runs every suite one after the other and prints one closing line over all of them: Rust, the core on
// Node and Deno, the proxy, and what benchmarks are made of. The HTTP suite runs once per runtime: the
// Node that runs this, a current LTS Node, and Deno.

import { type ChildProcess, spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

interface Suite {
  readonly title: string;
  /** The workspace that it is run in. */
  readonly folder: 'bindings' | 'proxy' | 'bench';
  /** Arguments for ava: its configuration and the files; absent for the tests of Rust. */
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What it wants installed: the WebAssembly core, clients and registries, or compressors. */
  readonly needs?: 'wasm' | 'peers' | 'streams';
  /** Whether its tests take up to minutes each, so that each is shown when it passes. */
  readonly isSlow?: boolean;
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What a line of a suite's output says: counts, details of a test, or nothing but their frame. */
type Line = Partial<Counts> | 'details' | 'frame';

const PROJECT_FOLDER = fileURLToPath(new URL('../../../', import.meta.url));
const AVA = `${PROJECT_FOLDER}node_modules/ava/entrypoints/cli.mjs`;
const RUST_TESTS = `${PROJECT_FOLDER}bindings/build/test-rust.mjs`;
const WASM_INSTALLER = `${PROJECT_FOLDER}bindings/build/build-wasm.mjs`;
const PEERS_INSTALLER = fileURLToPath(new URL('peers/install.js', import.meta.url));
const STREAMS_INSTALLER = `${PROJECT_FOLDER}bindings/dist/test/matrix/install.js`;

const SUITES: readonly Suite[] = [
  { title: 'Rust', folder: 'bindings' },
  {
    title: 'native core on Node and Deno',
    folder: 'bindings',
    args: ['test/units/**', 'test/native/**'],
  },
  { title: 'units, HTTP and faults', folder: 'proxy', args: [] },
  { title: 'what benchmarks are made of', folder: 'bench', args: [] },
  {
    title: 'HTTP on a current LTS Node',
    folder: 'proxy',
    args: ['test/http/*.test.ts'],
    environment: { MICA_TEST_RUNTIME: 'node-lts' },
  },
  {
    title: 'HTTP on Deno',
    folder: 'proxy',
    args: ['test/http/*.test.ts'],
    environment: { MICA_TEST_RUNTIME: 'deno' },
  },
  {
    title: 'WebAssembly core on Node and Deno',
    folder: 'bindings',
    args: ['test/wasm/**'],
    needs: 'wasm',
  },
  {
    title: 'clients, crashes, full disk',
    folder: 'proxy',
    args: ['--config', 'ava.system.config.js'],
    needs: 'peers',
    isSlow: true,
  },
  {
    title: 'a small corpus by real builders',
    folder: 'bench',
    args: ['--config', 'ava.system.config.js'],
    needs: 'peers',
    isSlow: true,
  },
  {
    title: 'real layers by real compressors',
    folder: 'bindings',
    args: ['--config', 'ava.matrix.config.js'],
    needs: 'streams',
    isSlow: true,
  },
];

/** Version, plan, totals, and the names of hooks that passed. */
const TAP_FRAME = /^(TAP version .*|\d+\.\.\d+|# (tests|pass|skip|todo|fail) \d+|# .* hook|)$/;

/** One test program's closing line. */
const RUST_RESULT =
  /^test result: \w+\. (?<passed>\d+) passed; (?<failed>\d+) failed; (?<ignored>\d+) ignored;/;

/** How many tests come, and a dot or a letter for each. */
const RUST_FRAME = /^(running \d+ tests?|[.iF]+( \d+\/\d+)?|all doctests ran .*|)$/;

const running = new Set<ChildProcess>();

interface RunOptions {
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** At the lowest priority, with everything it prints given to `onLine`: suites run meanwhile. */
  readonly inBackground?: boolean;
  readonly onLine: (line: string) => void;
}

/** Runs a program of this project and resolves with its exit code. */
function runNode(args: readonly string[], options: RunOptions): Promise<number> {
  const { folder, environment, inBackground = false, onLine } = options;
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', inBackground ? 'pipe' : 'inherit'],
  });
  running.add(child);
  if (inBackground && child.pid !== undefined) setPriority(child.pid, 19);
  for (const stream of [child.stdout, child.stderr])
    if (stream !== null) createInterface({ input: stream }).on('line', onLine);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      running.delete(child);
      resolve(code ?? -1);
    });
  });
}

/** Runs an installer that names what it could not have in lines of its own. */
async function runInstaller(installer: string): Promise<readonly string[]> {
  const missing: string[] = [];
  const onLine = (line: string): void => {
    console.log(line.startsWith('#') ? line : `# ${line}`);
    if (line.startsWith('not installed: ')) missing.push(line);
  };
  const options = { folder: PROJECT_FOLDER, inBackground: true, onLine };
  const code = await runNode([installer], options);
  if (code !== 0) missing.push(`not installed: the installer ended with ${code}`);
  return missing;
}

async function installWasm(): Promise<readonly string[]> {
  const lines: string[] = [];
  const onLine = (line: string): number => lines.push(line);
  const options = { folder: PROJECT_FOLDER, inBackground: true, onLine };
  console.log('# building the WebAssembly core');
  const started = Date.now();
  const code = await runNode([WASM_INSTALLER], options);
  console.log(`# the WebAssembly core: ended with ${code} after ${secondsSince(started)} s`);
  return code === 0 ? [] : lines;
}

/** Runs one suite and counts its tests. */
async function runSuite(suite: Suite): Promise<Counts> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  const showsAll = suite.isSlow === true || process.env['MICA_TEST_VERBOSE'] !== undefined;
  const command = suite.args === undefined ? [RUST_TESTS] : [AVA, '--tap', ...suite.args];
  const read = suite.args === undefined ? readRustLine : readTapLine;
  const code = await runNode(command, {
    folder: `${PROJECT_FOLDER}${suite.folder}`,
    ...(suite.environment !== undefined && { environment: suite.environment }),
    onLine(text) {
      const line = read(text);
      if (typeof line === 'object') add(counts, line);
      const isPass = typeof line === 'object' && !line.failed && !line.skipped;
      if (line !== 'frame' && (!isPass || showsAll)) console.log(text);
    },
  });
  const ran = counts.passed + counts.failed + counts.skipped;
  if (counts.failed === 0 && (code !== 0 || ran === 0)) {
    counts.failed = 1;
    console.log(`not ok - ${suite.title}: ended with ${code} after ${ran} tests`);
  }
  return counts;
}

/** Source: https://testanything.org/tap-version-13-specification.html */
function readTapLine(line: string): Line {
  if (line.startsWith('not ok ')) return { failed: 1 };
  if (line.startsWith('ok ')) return /# (SKIP|TODO)/.test(line) ? { skipped: 1 } : { passed: 1 };
  return TAP_FRAME.test(line) ? 'frame' : 'details';
}

/** Source: https://doc.rust-lang.org/rustc/tests/index.html */
function readRustLine(line: string): Line {
  const groups = RUST_RESULT.exec(line)?.groups;
  if (groups === undefined) return RUST_FRAME.test(line) ? 'frame' : 'details';
  const { passed, failed, ignored } = groups;
  return { passed: Number(passed), failed: Number(failed), skipped: Number(ignored) };
}

function add(total: Counts, counts: Partial<Counts>): void {
  total.passed += counts.passed ?? 0;
  total.failed += counts.failed ?? 0;
  total.skipped += counts.skipped ?? 0;
}

function secondsSince(started: number): string {
  return ((Date.now() - started) / 1000).toFixed(0);
}

/** Begins to install everything. System packages come one after the other: apt refuses a second caller. */
function install(): Readonly<Record<'wasm' | 'peers' | 'streams', Promise<readonly string[]>>> {
  const packages = runNode([WASM_INSTALLER, '--packages'], {
    folder: PROJECT_FOLDER,
    inBackground: true,
    onLine: (line) => console.log(`# ${line}`),
  });
  const peers = packages.then(() => runInstaller(PEERS_INSTALLER));
  const streams = peers.then(() => runInstaller(STREAMS_INSTALLER));
  return { wasm: packages.then(installWasm), peers, streams };
}

/** Everything, in order; what is to be installed comes beside the suites that do not need it. */
async function runSuites(): Promise<boolean> {
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const installed = install();
  for (const suite of SUITES) {
    if (suite.needs !== undefined) await installed[suite.needs];
    const started = Date.now();
    const counts = await runSuite(suite);
    add(total, counts);
    const { passed, failed, skipped } = counts;
    console.log(
      `# ${suite.title}: ${passed} passed, ${failed} failed, ${skipped} skipped in ${secondsSince(started)} s`,
    );
  }
  for (const lines of Object.values(installed))
    for (const line of await lines) console.log(`# ${line}`);
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
