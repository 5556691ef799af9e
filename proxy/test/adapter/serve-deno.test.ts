import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { pattern } from './pattern.ts';

const MIB = 1024 * 1024;

type Line = Readonly<Record<string, unknown>>;

/** Deno's own file, past the script of the npm package, so that a signal reaches it. */
const DENO = fileURLToPath(new URL('../../../../node_modules/deno/deno', import.meta.url));
const PROGRAM = fileURLToPath(new URL('deno-program.js', import.meta.url));

const deno = spawn(DENO, ['run', '-A', '--no-lock', '--quiet', PROGRAM], {
  stdio: ['pipe', 'pipe', 'ignore'],
});
test.after.always(() => deno.kill('SIGKILL'));

const lines: Line[] = [];
const output = createInterface(deno.stdout);
output.on('line', (line) => lines.push(JSON.parse(line)));

/** What the program said that it has. */
let said: Line = {};
test.before(async () => {
  said = await untilLine((line) => 'url' in line);
});

async function untilLine(condition: (line: Line) => boolean): Promise<Line> {
  for (;;) {
    const found = lines.find(condition);
    if (found !== undefined) return found;
    await once(output, 'line');
  }
}

function addressOf(name: string): string {
  return `${said['url']}${said[name]}`;
}

test('Deno: a body arrives to the byte and is logged', async (t) => {
  const response = await fetch(addressOf('whole'));
  t.is(response.headers.get('content-length'), String(3 * MIB + 5));
  const bytes = new Uint8Array(await response.arrayBuffer());
  t.is(Buffer.compare(bytes, pattern(3 * MIB + 5)), 0);
  const line = await untilLine(
    ({ path, method, status }) => path === said['whole'] && method === 'GET' && status === 200,
  );
  t.like(line, { outcome: 'complete', client: '127.0.0.1', bytes: 3 * MIB + 5 });
});

test('Deno: a range arrives to the byte', async (t) => {
  const response = await fetch(addressOf('whole'), { headers: { range: 'bytes=1048570-1048579' } });
  t.is(response.status, 206);
  const bytes = new Uint8Array(await response.arrayBuffer());
  t.is(Buffer.compare(bytes, pattern(3 * MIB).subarray(1_048_570, 1_048_580)), 0);
});

test('Deno: HEAD has the length and no body', async (t) => {
  const response = await fetch(addressOf('whole'), { method: 'HEAD' });
  t.is(response.headers.get('content-length'), String(3 * MIB + 5));
});

test('Deno: a source that fails ends the body short with an orderly close', async (t) => {
  const socket = connect(Number(new URL(String(said['url'])).port), '127.0.0.1');
  socket.write(`GET ${said['broken']} HTTP/1.1\r\nHost: x\r\n\r\n`);
  const chunks: Buffer[] = [];
  // A reset would throw here.
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const received = Buffer.concat(chunks);
  const body = received.subarray(received.indexOf('\r\n\r\n') + 4);
  t.is(body.length, MIB + 3);
  t.is(Buffer.compare(body, pattern(MIB + 3)), 0);
  await untilLine(({ path, outcome }) => path === said['broken'] && outcome === 'short');
});

test('Deno: a client that goes ends the reading', async (t) => {
  const abort = new AbortController();
  const response = await fetch(addressOf('large'), { signal: abort.signal });
  await response.body?.getReader().read();
  abort.abort();
  const line = await untilLine(({ path }) => path === said['large']);
  t.is(line['outcome'], 'aborted');
});
