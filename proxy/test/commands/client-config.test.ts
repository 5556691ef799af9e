// `mica client-config docker|containerd|podman`.

import test from 'ava';
import type { ClientFiles } from '../../src/commands/client-config/engine.ts';
import { clientConfig } from '../../src/commands/client-config.ts';
import { makeFolder } from '../config/folder.ts';
import { MemoryTerminal } from '../doubles/memory-terminal.ts';

const UPSTREAMS = '{docker.io: {url: "http://127.0.0.1:5601"}, ghcr.io: {url: "https://ghcr.io"}}';
const REMOTE = { json: true, url: 'http://cache.example:5000' };

test('clientConfig() prints daemon.json for docker, with no more than http on loopback needs', async (t) => {
  const runtime = (await makeFolder(t)).runtime({ MICA_UPSTREAMS: UPSTREAMS });
  const terminal = new MemoryTerminal();
  t.is(await clientConfig({ runtime, terminal }, 'docker', { json: true }), 0);
  const { files, restart } = terminal.json() as ClientFiles;
  t.is(files[0]?.path, '/etc/docker/daemon.json');
  t.deepEqual(JSON.parse(files[0]?.content ?? ''), {
    'registry-mirrors': ['http://127.0.0.1:5000'],
  });
  t.is(files[1]?.path, '/etc/docker/certs.d/ghcr.io/hosts.toml');
  t.is(restart, 'systemctl restart docker');
});

test('clientConfig() lists Mica under insecure-registries when it is http elsewhere', async (t) => {
  const runtime = (await makeFolder(t)).runtime();
  const terminal = new MemoryTerminal();
  await clientConfig({ runtime, terminal }, 'docker', REMOTE);
  const { files } = terminal.json() as ClientFiles;
  t.deepEqual(JSON.parse(files[0]?.content ?? ''), {
    'registry-mirrors': ['http://cache.example:5000'],
    'insecure-registries': ['cache.example:5000'],
  });
});

test('clientConfig() says when docker pulls through the mirror cannot reach Docker Hub', async (t) => {
  const folder = await makeFolder(t);
  const notes = async (environment: Record<string, string>) => {
    const terminal = new MemoryTerminal();
    await clientConfig({ runtime: folder.runtime(environment), terminal }, 'docker');
    return terminal.stdout;
  };
  t.regex(await notes({ MICA_DEFAULT_UPSTREAM: 'ghcr.io' }), /# note: defaultUpstream is ghcr\.io/);
  const only = '{ghcr.io: {url: "https://ghcr.io"}}';
  const environment = { MICA_UPSTREAMS: only, MICA_DEFAULT_UPSTREAM: 'ghcr.io' };
  t.regex(await notes(environment), /# note: docker\.io is not an upstream/);
});

test('clientConfig() prints a hosts.toml for each upstream and the rest for containerd', async (t) => {
  const runtime = (await makeFolder(t)).runtime({ MICA_UPSTREAMS: UPSTREAMS });
  const terminal = new MemoryTerminal();
  t.is(await clientConfig({ runtime, terminal }, 'containerd', REMOTE), 0);
  const { files } = terminal.json() as ClientFiles;
  const contents = new Map(files.map(({ path, content }) => [path, content]));
  t.is(
    contents.get('/etc/containerd/certs.d/docker.io/hosts.toml'),
    'server = "https://registry-1.docker.io"\n\n[host."http://cache.example:5000"]\n  capabilities = ["pull", "resolve"]\n',
  );
  t.regex(
    contents.get('/etc/containerd/certs.d/ghcr.io/hosts.toml') ?? '',
    /^server = "https:\/\/ghcr\.io"\n/,
  );
  t.regex(contents.get('/etc/containerd/certs.d/_default/hosts.toml') ?? '', /^\[host\."http:/);
  t.regex(
    contents.get('/etc/containerd/config.toml') ?? '',
    /\[plugins\."io\.containerd\.cri\.v1\.images"\.registry\]\n {2}config_path = "\/etc\/containerd\/certs\.d"/,
  );
});

test('clientConfig() prints a prefix and mirror for each upstream for podman', async (t) => {
  const runtime = (await makeFolder(t)).runtime({ MICA_UPSTREAMS: UPSTREAMS });
  const terminal = new MemoryTerminal();
  t.is(await clientConfig({ runtime, terminal }, 'podman'), 0);
  t.true(
    terminal.stdout.startsWith(`# /etc/containers/registries.conf.d/mica.conf
[[registry]]
prefix = "docker.io"
location = "docker.io"

[[registry.mirror]]
location = "127.0.0.1:5000/docker.io"
insecure = true

[[registry]]
prefix = "ghcr.io"
`),
    terminal.stdout,
  );
  const secure = new MemoryTerminal();
  await clientConfig({ runtime, terminal: secure }, 'podman', { url: 'https://cache.example' });
  t.regex(secure.stdout, /location = "cache\.example\/docker\.io"\n\n/);
  t.notRegex(secure.stdout, /insecure/);
});

test('clientConfig() names the loopback address when Mica listens on every address', async (t) => {
  const runtime = (await makeFolder(t)).runtime({ MICA_LISTEN: '[::]:5055' });
  const terminal = new MemoryTerminal();
  await clientConfig({ runtime, terminal }, 'podman');
  t.regex(terminal.stdout, /location = "127\.0\.0\.1:5055\/docker\.io"/);
  t.regex(terminal.stdout, /# note: for engines on other machines, give the address with --url\n/);
});

test('clientConfig() ends with 2 on a wrong --url and on a wrong configuration', async (t) => {
  const folder = await makeFolder(t);
  for (const url of ['cache', 'http://cache/path']) {
    const terminal = new MemoryTerminal();
    t.is(await clientConfig({ runtime: folder.runtime(), terminal }, 'docker', { url }), 2);
    t.regex(terminal.stderr, /^mica: --url: "/);
  }
  const terminal = new MemoryTerminal();
  t.is(await clientConfig({ runtime: folder.runtime({ MICA_X: '1' }), terminal }, 'docker'), 2);
  t.regex(terminal.stderr, /MICA_X: is not a variable of Mica/);
});
