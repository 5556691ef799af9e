// Loading: which source wins, and every problem at once with its place.

import test from 'ava';
import fc from 'fast-check';
import { loadConfig, loadSettings } from '../../src/config/load.ts';
import { ConfigError, renderProblem, renderProblems } from '../../src/config/problems.ts';
import { keysAt } from '../../src/config/schema.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { makeFolder } from './folder.ts';

/** The problems of a configuration that cannot be loaded, each as one line. */
async function problemsOf(runtime: Runtime, configFile?: string): Promise<readonly string[]> {
  try {
    await loadConfig({ runtime, configFile });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(renderProblem);
    throw error;
  }
  return [];
}

test('loadConfig() gives the built-in defaults when there is no file', async (t) => {
  const folder = await makeFolder(t);
  const config = await loadConfig({ runtime: folder.runtime() });
  t.deepEqual(config.listen, { host: '127.0.0.1', port: 5000 });
  t.deepEqual(config.admin, { host: '127.0.0.1', port: 5001 });
  t.is(config.data, `${folder.path}/home/.local/share/mica`);
  t.deepEqual(config.quota, { kind: 'share', ratio: 0.8 });
  t.deepEqual(Object.keys(config.upstreams), [
    'docker.io',
    'ghcr.io',
    'quay.io',
    'registry.k8s.io',
    'gcr.io',
    'mcr.microsoft.com',
    'public.ecr.aws',
  ]);
  t.deepEqual(config.upstreams['docker.io'], {
    urls: ['https://registry-1.docker.io'],
    passThrough: false,
    hosts: [],
    connectTimeoutMs: 5000,
    headersTimeoutMs: 15_000,
    bodyTimeoutMs: 30_000,
  });
  t.deepEqual(config.tags, { ttlMs: 60_000, negativeTtlMs: 10_000, staleIfErrorMs: 604_800_000 });
  t.is(config.access.grantTtlMs, 300_000);
  t.is(config.store.recheckMs, 30 * 86_400_000);
  t.false('auth' in config || 'tls' in config);
});

test('loadConfig() puts the data folder where the user and XDG_DATA_HOME say', async (t) => {
  const folder = await makeFolder(t);
  const root = await loadConfig({ runtime: folder.runtime({}, { isRoot: true }) });
  t.is(root.data, '/var/lib/mica');
  const xdg = await loadConfig({ runtime: folder.runtime({ XDG_DATA_HOME: folder.path }) });
  t.is(xdg.data, `${folder.path}/mica`);
});

test('loadConfig() lets the environment win over the file and the file over the defaults', async (t) => {
  const folder = await makeFolder(t);
  await folder.write(
    'mica.yaml',
    'tags: { ttl: 5s, negativeTtl: 1s }\nquota: 10GiB\ndata: d\nlog:\n',
  );
  const runtime = folder.runtime({ MICA_TAGS_TTL: '7s', MICA_LOG_LEVEL: 'debug', MICA_QUOTA: '' });
  const config = await loadConfig({ runtime });
  t.deepEqual(config.tags, { ttlMs: 7000, negativeTtlMs: 1000, staleIfErrorMs: 604_800_000 });
  t.deepEqual(config.log, { level: 'debug', format: 'json' });
  t.deepEqual(config.quota, { kind: 'bytes', bytes: 10 * 1024 ** 3 });
  t.is(config.data, `${folder.path}/d`);
});

test('loadConfig() takes the file from --config before MICA_CONFIG before mica.yaml', async (t) => {
  const folder = await makeFolder(t);
  await folder.write('mica.yaml', 'listen: :1');
  await folder.write('two/two.yaml', 'listen: :2\ndata: here');
  await folder.write('three.yaml', 'listen: 3');
  const runtime = folder.runtime({ MICA_CONFIG: 'two/two.yaml' });
  t.is((await loadConfig({ runtime: folder.runtime() })).listen.port, 1);
  const two = await loadConfig({ runtime });
  t.is(two.listen.port, 2);
  t.is(two.data, `${folder.path}/two/here`);
  t.is((await loadConfig({ runtime, configFile: 'three.yaml' })).listen.port, 3);
  t.regex(String(await problemsOf(runtime, 'no.yaml')), /^no\.yaml: cannot be read: ENOENT$/);
});

test('loadConfig() replaces the list of upstreams by the one it is given', async (t) => {
  const folder = await makeFolder(t);
  await folder.write(
    'mica.yaml',
    'upstreams: { ghcr.io: { url: https://ghcr.io } }\ndefaultUpstream: ghcr.io',
  );
  t.deepEqual(Object.keys((await loadConfig({ runtime: folder.runtime() })).upstreams), [
    'ghcr.io',
  ]);
  const runtime = folder.runtime({
    MICA_UPSTREAMS:
      '{docker.io: {url: ["http://127.0.0.1:5601/", "http://b.example"], hosts: [Hub.Example]}}',
    MICA_DEFAULT_UPSTREAM: 'docker.io',
  });
  const { upstreams } = await loadConfig({ runtime });
  t.deepEqual(Object.keys(upstreams), ['docker.io']);
  t.deepEqual(upstreams['docker.io']?.urls, ['http://127.0.0.1:5601', 'http://b.example']);
  t.deepEqual(upstreams['docker.io']?.hosts, ['hub.example']);
});

test('loadConfig() reports all problems at once, each with file, line, column and key', async (t) => {
  const folder = await makeFolder(t);
  await folder.write(
    'mica.yaml',
    `lisen: 127.0.0.1:5000
quota: 120%
defaultUpstream: docker.oi
tags:
  ttl: 60
  negativettl: 5s
  staleIfError: [1]
upstreams:
  docker.io:
    url: ftp://u:SECRET@x
    hosts: [hub.example]
    auth: { username: u, password: 12345, helper: x }
  ghcr.io:
    hosts: [HUB.example, "a b"]
    clientCert: missing.pem
  library: { url: [https://a.example, b.example] }
dedup: { mode: bs, replicas: -1 }
auth: { htpasswd: none }
tls: { cert: "-----BEGIN\\nSECRET", key: mica.yaml }
index: { url: "redis://:SECRET@h" }
store: { url: "s3://b/p?key=SECRET" }
log: text
`,
  );
  const runtime = folder.runtime({
    MICA_LISTEN: 'nowhere',
    MICA_TAG_TTL: '1s',
    MICA_TEST_ANYTHING: 'x',
  });
  const problems = await problemsOf(runtime);
  t.deepEqual(
    problems.toSorted((one, other) => (one < other ? -1 : 1)),
    [
      'MICA_LISTEN: listen: "nowhere" is not an address (write host:port such as 127.0.0.1:5000, :5000 for every address, or [::1]:5000)',
      'MICA_TAG_TTL: is not a variable of Mica (did you mean MICA_TAGS_TTL?)',
      'mica.yaml:10:5: upstreams["docker.io"].url: "ftp://***@x" is not an http or https URL (write an http or https URL such as https://registry-1.docker.io)',
      'mica.yaml:12:26: upstreams["docker.io"].auth.password: must be text, not a number',
      'mica.yaml:12:5: upstreams["docker.io"].auth: has password and helper (keep one of them)',
      'mica.yaml:13:3: upstreams["ghcr.io"].url: is missing',
      'mica.yaml:14:13: upstreams["ghcr.io"].hosts[0]: "HUB.example" already chooses docker.io (give each host to one upstream)',
      'mica.yaml:14:26: upstreams["ghcr.io"].hosts[1]: "a b" is not a host (write it as clients send it, such as hub.example or hub.example:5000)',
      `mica.yaml:15:5: upstreams["ghcr.io"].clientCert: ${folder.path}/missing.pem does not exist (make the file or mend the path)`,
      'mica.yaml:15:5: upstreams["ghcr.io"].clientCert: needs clientKey beside it',
      'mica.yaml:16:39: upstreams.library.url[1]: "b.example" is not an http or https URL (write an http or https URL such as https://registry-1.docker.io)',
      'mica.yaml:16:3: upstreams.library: is not the name of a registry (write its host in lower case, with a dot or a port, such as ghcr.io or cache:5000)',
      'mica.yaml:17:10: dedup.mode: "bs" is not known here (did you mean b?)',
      'mica.yaml:17:20: dedup.replicas: -1 is not a count (write a whole number from 0 on)',
      `mica.yaml:18:9: auth.htpasswd: ${folder.path}/none does not exist (make the file or mend the path)`,
      'mica.yaml:19:8: tls.cert: is not a path (write the path of a file, not its content)',
      'mica.yaml:1:1: lisen: is not a key of Mica (did you mean listen?)',
      'mica.yaml:20:10: index.url: "redis:" is not in this version of Mica (write lmdb: or leave the key out)',
      'mica.yaml:21:10: store.url: "s3:" is not in this version of Mica (write file: or leave the key out)',
      'mica.yaml:22:1: log: must be a map, not text',
      'mica.yaml:2:1: quota: "120%" is more than 100% (write a share such as 80%, or a size such as 200GiB)',
      'mica.yaml:3:1: defaultUpstream: "docker.oi" is not one of the upstreams (did you mean docker.io?)',
      'mica.yaml:5:3: tags.ttl: 60 is not a duration (write 500ms, 60s, 5m, 12h or 7d)',
      'mica.yaml:6:3: tags.negativettl: is not a key of Mica (did you mean negativeTtl?)',
      'mica.yaml:7:3: tags.staleIfError: must be text or a number, not a list',
    ],
  );
  t.notRegex(problems.join('\n'), /SECRET|12345/);
});

test('loadConfig() reports every syntax error with its line, and the environment beside it', async (t) => {
  const folder = await makeFolder(t);
  await folder.write('mica.yaml', 'listen: :5000\npassword: "SECRET" SECRET\nadmin: [1\n');
  const problems = await problemsOf(folder.runtime({ MICA_NOPE: 'x', MICA_LISTEN: 'y' }));
  t.true(
    problems.some((problem) => problem.startsWith('mica.yaml:2:')),
    problems.join('\n'),
  );
  t.true(
    problems.some((problem) => problem.startsWith('mica.yaml:4:')),
    problems.join('\n'),
  );
  t.true(problems.some((problem) => problem.startsWith('MICA_NOPE:')));
  t.true(problems.some((problem) => problem.startsWith('MICA_LISTEN: listen:')));
  t.notRegex(problems.join('\n'), /SECRET/);
});

test('loadConfig() goes on after a key that occurs twice', async (t) => {
  const folder = await makeFolder(t);
  await folder.write('mica.yaml', 'listen: :1\nlisten: :2\nquota: x\n');
  const problems = await problemsOf(folder.runtime());
  t.is(problems.length, 2);
  t.is(problems[0], 'mica.yaml:2:1: is not valid YAML: map keys must be unique');
  t.regex(problems[1] ?? '', /^mica\.yaml:3:1: quota: /);
});

test('loadConfig() refuses a file that is not a map and aliases that explode', async (t) => {
  const folder = await makeFolder(t);
  await folder.write('list.yaml', '- a\n');
  t.deepEqual(await problemsOf(folder.runtime(), 'list.yaml'), [
    'list.yaml: must hold a map of keys and values',
  ]);
  const levels = Array.from({ length: 9 }, (_, level) => {
    const below = level === 0 ? 'x' : `*a${level - 1}`;
    return `a${level}: &a${level} [${Array.from({ length: 9 }, () => below).join(', ')}]`;
  });
  await folder.write('bomb.yaml', levels.join('\n'));
  t.regex(String(await problemsOf(folder.runtime(), 'bomb.yaml')), /alias/);
  await folder.write('alias.yaml', 'listen: :1\nauth: { htpasswd: *file }\n');
  t.regex(
    String(await problemsOf(folder.runtime(), 'alias.yaml')),
    /^alias\.yaml:2:19: has an alias/,
  );
  await folder.write('proto.yaml', '__proto__: { listen: x }\nconstructor: 1\n');
  t.is((await problemsOf(folder.runtime(), 'proto.yaml')).length, 2);
});

test('loadConfig() reports an empty list of upstreams, and one that is not YAML', async (t) => {
  const folder = await makeFolder(t);
  await folder.write('mica.yaml', 'upstreams:\n');
  t.regex(
    String(await problemsOf(folder.runtime())),
    /^mica\.yaml:1:1: upstreams: names no upstream/,
  );
  const broken = await problemsOf(folder.runtime({ MICA_UPSTREAMS: '{docker.io: {' }));
  t.true(broken.length > 0 && broken.every((problem) => problem.startsWith('MICA_UPSTREAMS: ')));
  const noUrl = await problemsOf(folder.runtime({ MICA_UPSTREAMS: '{docker.io: }' }));
  t.deepEqual(noUrl, ['MICA_UPSTREAMS: upstreams["docker.io"].url: is missing']);
});

test('loadConfig() reports listen and admin on one address, and halves of pairs', async (t) => {
  const folder = await makeFolder(t);
  const key = await folder.write('key', 'x');
  const runtime = folder.runtime({ MICA_LISTEN: ':5001', MICA_TLS_KEY: key });
  t.deepEqual(await problemsOf(runtime), [
    'MICA_TLS_CERT: tls.cert: is missing',
    'default: admin: is the same address as listen (give it another port)',
  ]);
});

test('loadConfig() demands exactly one complete way to log in to an upstream', async (t) => {
  const folder = await makeFolder(t);
  await folder.write('secret', 's');
  const problems = async (auth: string) => {
    const upstreams = `{docker.io: {url: "https://h.example", auth: ${auth}}}`;
    return await problemsOf(folder.runtime({ MICA_UPSTREAMS: upstreams }));
  };
  t.deepEqual(await problems('{username: u, passwordFile: secret}'), []);
  t.deepEqual(await problems('{helper: pass}'), []);
  t.regex(String(await problems('{}')), /names no way to log in/);
  t.regex(String(await problems('{password: p}')), /needs username beside it/);
  t.regex(String(await problems('{username: u, helper: p}')), /does not go with helper/);
  t.regex(String(await problems('"u:SECRET"')), /auth: must be a map, not text$/);
});

test('loadConfig() gives a configuration or ConfigError for any text and any values', async (t) => {
  const folder = await makeFolder(t);
  const runtime = folder.runtime();
  const values = Object.fromEntries(keysAt([]).map((key) => [key, fc.jsonValue()]));
  const upstreams = fc.dictionary(
    fc.constantFrom('docker.io', 'x', ''),
    fc.record(Object.fromEntries(keysAt(['upstreams', 'x']).map((key) => [key, fc.jsonValue()])), {
      requiredKeys: [],
    }),
  );
  const settings = fc.record({ ...values, upstreams }, { requiredKeys: [] });
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    settings.map((value) => JSON.stringify(value)),
  );
  await fc.assert(
    fc.asyncProperty(text, async (content) => {
      const files = { ...runtime.files, readText: async () => content };
      const problems = await problemsOf({ ...runtime, files }, 'any.yaml');
      return problems.every((problem) => /^(any\.yaml|default)/.test(problem));
    }),
    { numRuns: 200 },
  );
  t.pass();
});

test('loadSettings() knows where each value came from', async (t) => {
  const folder = await makeFolder(t);
  await folder.write(
    'mica.yaml',
    'tags:\n  ttl: 5s\nupstreams: { docker.io: { url: https://a.example } }\n',
  );
  const loaded = await loadSettings({ runtime: folder.runtime({ MICA_LISTEN: '5002' }) });
  t.deepEqual(loaded.originOf(['tags', 'ttl']), { source: 'mica.yaml', line: 2, column: 3 });
  t.deepEqual(loaded.originOf(['listen']), { source: 'MICA_LISTEN' });
  t.deepEqual(loaded.originOf(['quota']), { source: 'default' });
  t.is(loaded.originOf(['upstreams', 'docker.io', 'url']).line, 3);
  t.is(loaded.originOf(['upstreams', 'docker.io', 'connectTimeout']).source, 'default');
});

test('renderProblems() counts the problems and gives each a line', (t) => {
  const problem = { source: 'm.yaml', line: 3, key: 'a', message: 'is wrong', hint: 'mend it' };
  t.is(renderProblems([problem]), 'configuration: 1 problem\n  m.yaml:3: a: is wrong (mend it)\n');
  t.is(new ConfigError([problem, problem]).message.split('\n').length, 4);
});

test('loadConfig() refuses more whole copies than there are volumes, with file, line and key', async (t) => {
  const folder = await makeFolder(t);
  await folder.write('mica.yaml', 'dedup:\n  mode: b\n  replicas: 2\n');
  t.deepEqual(await problemsOf(folder.runtime({})), [
    'mica.yaml:3:3: dedup.replicas: 2 whole copies need as many volumes, and data is on one (write 0 or 1)',
  ]);
  await folder.write('mica.yaml', 'dedup: { mode: s, replicas: 2 }\n');
  t.deepEqual(await problemsOf(folder.runtime({})), []);
});

test('loadConfig() takes true and false from the file and from the environment', async (t) => {
  const folder = await makeFolder(t);
  const predict = async (variables: Readonly<Record<string, string>>) =>
    (await loadConfig({ runtime: folder.runtime(variables) })).dedup.predict;
  t.true(await predict({}));
  t.false(await predict({ MICA_DEDUP_PREDICT: 'false' }));
  await folder.write('mica.yaml', 'dedup: { predict: false }\n');
  t.false(await predict({}));
  t.true(await predict({ MICA_DEDUP_PREDICT: 'true' }));
  t.deepEqual(await problemsOf(folder.runtime({ MICA_DEDUP_PREDICT: 'maybe' })), [
    'MICA_DEDUP_PREDICT: dedup.predict: must be true or false, not text',
  ]);
});
