// `mica config check|schema|show`.

import test from 'ava';
import { parse } from 'yaml';
import { configCheck } from '../../src/commands/config-check.ts';
import { configSchema } from '../../src/commands/config-schema.ts';
import { configShow } from '../../src/commands/config-show.ts';
import { loadConfig } from '../../src/config/load.ts';
import { makeFolder } from '../config/folder.ts';
import { MemoryTerminal } from '../doubles/memory-terminal.ts';

test('configCheck() says that the file is good, or that there is none', async (t) => {
  const folder = await makeFolder(t);
  const terminal = new MemoryTerminal();
  const context = { runtime: folder.runtime(), terminal };
  t.is(await configCheck(context), 0);
  await folder.write('mica.yaml', 'quota: 10GiB\n');
  t.is(await configCheck(context), 0);
  t.is(terminal.stdout, 'no file; defaults and environment are good\nmica.yaml is good\n');
  t.is(terminal.stderr, '');
});

test('configCheck() prints every problem to standard error and ends with 2', async (t) => {
  const folder = await makeFolder(t);
  await folder.write('mica.yaml', 'lisen: 1\nquota: x\n');
  const terminal = new MemoryTerminal();
  const context = { runtime: folder.runtime(), terminal };
  t.is(await configCheck(context), 2);
  t.regex(
    terminal.stderr,
    /^configuration: 2 problems\n {2}mica\.yaml:1:1: .*\n {2}mica\.yaml:2:1: /,
  );
  t.is(terminal.stdout, '');
  t.is(await configCheck(context, { json: true }), 2);
  const { problems } = terminal.json() as { problems: { line: number; key: string }[] };
  t.deepEqual(
    problems.map(({ line, key }) => `${line} ${key}`),
    ['1 lisen', '2 quota'],
  );
});

test('configSchema() prints a JSON Schema with every key', async (t) => {
  const terminal = new MemoryTerminal();
  t.is(await configSchema({ runtime: (await makeFolder(t)).runtime(), terminal }), 0);
  const schema = terminal.json() as { properties: object; required?: unknown };
  t.is(schema.required, undefined);
  t.true('listen' in schema.properties && 'tls' in schema.properties);
});

const FILE = `tags: { ttl: 5s }
upstreams:
  docker.io:
    url: [https://a.example, https://b.example]
    auth: { username: u, password: SECRET }
    proxy: http://u:SECRET@proxy.example:3128
`;

test('configShow() prints each value with where it came from, and no secret', async (t) => {
  const folder = await makeFolder(t);
  await folder.write('mica.yaml', FILE);
  const terminal = new MemoryTerminal();
  const runtime = folder.runtime({ MICA_LISTEN: ':5002' });
  t.is(await configShow({ runtime, terminal }), 0);
  const lines = terminal.stdout.split('\n').map((line) => line.trim());
  for (const line of [
    'listen: :5002 # MICA_LISTEN',
    'quota: 80% # default',
    'ttl: 5s # mica.yaml:1',
    'password: "***" # mica.yaml:5',
    'proxy: http://***@proxy.example:3128/ # mica.yaml:6',
    'connectTimeout: 5s # default',
  ]) {
    t.true(lines.includes(line), `${line}\n${terminal.stdout}`);
  }
  t.notRegex(terminal.stdout, /SECRET/);
  t.true(lines[0]?.startsWith('listen: '));
});

test('configShow() writes each upstream out, without YAML aliases', async (t) => {
  const terminal = new MemoryTerminal();
  await configShow({ runtime: (await makeFolder(t)).runtime(), terminal });
  t.regex(terminal.stdout, /\n {2}ghcr\.io:\n {4}url: https:\/\/ghcr\.io # default\n/);
  t.notRegex(terminal.stdout, /[&*]a1/);
});

test('configShow() prints a file that gives the same configuration again', async (t) => {
  const folder = await makeFolder(t);
  await folder.write('mica.yaml', FILE.replace('u:SECRET@', '').replace('SECRET', '"***"'));
  const terminal = new MemoryTerminal();
  const runtime = folder.runtime({ MICA_DEDUP_WORKERS: '3' });
  await configShow({ runtime, terminal });
  await folder.write('shown.yaml', terminal.stdout);
  const again = await loadConfig({ runtime: folder.runtime(), configFile: 'shown.yaml' });
  t.deepEqual(again, await loadConfig({ runtime }));
});

test('configShow() prints settings and origins as JSON', async (t) => {
  const folder = await makeFolder(t);
  await folder.write('mica.yaml', FILE);
  const terminal = new MemoryTerminal();
  t.is(await configShow({ runtime: folder.runtime(), terminal }, { json: true }), 0);
  const shown = terminal.json() as { settings: unknown; origins: Record<string, string> };
  t.is(shown.origins['tags.ttl'], 'mica.yaml:1');
  t.is(shown.origins['upstreams["docker.io"].hosts'], 'default');
  t.notRegex(terminal.stdout, /SECRET/);
  const yaml = new MemoryTerminal();
  await configShow({ runtime: folder.runtime(), terminal: yaml });
  t.deepEqual(parse(yaml.stdout), shown.settings);
});

test('configShow() ends with 2 when the configuration cannot be used', async (t) => {
  const folder = await makeFolder(t);
  const terminal = new MemoryTerminal();
  t.is(await configShow({ runtime: folder.runtime({ MICA_QUOTA: 'x' }), terminal }), 2);
  t.regex(terminal.stderr, /MICA_QUOTA: quota: "x" is neither a share nor a size/);
});
