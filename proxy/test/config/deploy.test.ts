// The files an operator starts from: they must agree with the program.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { parse } from 'yaml';
import { defaultSettings } from '../../src/config/defaults.ts';
import { loadConfig } from '../../src/config/load.ts';
import { keysAt, valuePaths } from '../../src/config/schema.ts';
import { valueAt } from '../../src/config/settings.ts';
import { makeFolder } from './folder.ts';

/** Seen from dist/test/config, where this file runs. */
const DEPLOY = fileURLToPath(new URL('../../../deploy/', import.meta.url));

test('mica.example.yaml gives the built-in configuration', async (t) => {
  const folder = await makeFolder(t);
  const runtime = folder.runtime({}, { isRoot: true });
  const example = await loadConfig({ runtime, configFile: join(DEPLOY, 'mica.example.yaml') });
  t.deepEqual(example, await loadConfig({ runtime }));
});

test('mica.example.yaml names every key', async (t) => {
  const text = await readFile(join(DEPLOY, 'mica.example.yaml'), 'utf8');
  const example: unknown = parse(text);
  const runtime = (await makeFolder(t)).runtime({}, { isRoot: true });
  const defaults = defaultSettings(runtime);
  for (const path of valuePaths()) {
    const key = path.at(-1) ?? '';
    if (valueAt(defaults, path) === undefined) t.regex(text, new RegExp(`\\b${key}: `), key);
    else t.not(valueAt(example, path), undefined, path.join('.'));
  }
  const upstream = keysAt(['upstreams', 'docker.io']);
  for (const key of [...upstream, ...keysAt(['upstreams', 'docker.io', 'auth'])]) {
    t.regex(text, new RegExp(`\\b${key}: `), key);
  }
});

test('mica.example.yaml still passes with its commented-out keys filled in', async (t) => {
  const folder = await makeFolder(t);
  const text = await readFile(join(DEPLOY, 'mica.example.yaml'), 'utf8');
  const keys = /^( *)# (auth|tls|ca|clientCert|clientKey|proxy)(: .*)$/gm;
  const filled = text.replaceAll(keys, '$1$2$3');
  const names = [
    'authority.pem',
    'client.pem',
    'client.key',
    'htpasswd',
    'mica.pem',
    'mica.key',
    'clients.pem',
  ];
  for (const name of names) await folder.write(name, '');
  await folder.write('mica.yaml', filled);
  const config = await loadConfig({ runtime: folder.runtime() });
  t.is(config.tls?.clientCa, join(folder.path, 'clients.pem'));
  t.is(config.auth?.htpasswd, join(folder.path, 'htpasswd'));
  t.is(config.upstreams['docker.io']?.proxy, 'http://proxy.example:3128/');
});

test('mica.service runs mica serve on the file and folder that systemd gives it', async (t) => {
  const unit = await readFile(join(DEPLOY, 'mica.service'), 'utf8');
  for (const line of [
    'ExecStart=/usr/bin/mica serve --config /etc/mica/mica.yaml',
    'StateDirectory=mica',
    'ProtectSystem=strict',
    'NoNewPrivileges=yes',
    'KillSignal=SIGTERM',
  ]) {
    t.true(unit.split('\n').includes(line), line);
  }
});
