// Runs every suite one after the other and prints one closing line over all of them.
// The HTTP suite runs once per runtime: the Node that runs this, a current LTS Node, and Deno.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Suite {
  readonly title: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const PROXY_FOLDER = fileURLToPath(new URL('../../', import.meta.url));
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
  { title: 'clients, crashes, full disk', args: ['--config', 'ava.system.config.js'] },
];

/** Runs one suite and counts its TAP lines (https://testanything.org/tap-version-13-specification.html). */
function runSuite(suite: Suite): Promise<Counts> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  const child = spawn(process.execPath, [AVA, '--tap', ...suite.args], {
    cwd: PROXY_FOLDER,
    env: { ...process.env, ...suite.environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let rest = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) countLine(line, counts);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0 && counts.failed === 0) counts.failed = 1;
      if (counts.passed + counts.failed + counts.skipped === 0) counts.failed = 1;
      resolve(counts);
    });
  });
}

function countLine(line: string, counts: Counts): void {
  if (/^ok \d+ .*# (SKIP|TODO)/.test(line)) counts.skipped += 1;
  else if (line.startsWith('ok ')) counts.passed += 1;
  else if (line.startsWith('not ok ')) counts.failed += 1;
  if (!line.startsWith('ok ')) process.stdout.write(`${line}\n`);
  else if (process.env['MICA_TEST_VERBOSE'] !== undefined) process.stdout.write(`${line}\n`);
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const suite of SUITES) {
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
if (total.skipped > 0)
  console.log(`# ${total.skipped} skipped: a client or a privilege is missing`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
