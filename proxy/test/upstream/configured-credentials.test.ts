// Credentials from every place the configuration can name.

import { utimes } from 'node:fs/promises';
import test from 'ava';
import type { UpstreamAuth, UpstreamConfig } from '../../src/config/config.ts';
import type { Processes } from '../../src/runtime/runtime.ts';
import { configuredCredential } from '../../src/upstream/configured-credentials.ts';
import { CredentialError } from '../../src/upstream/credential-error.ts';
import { makeFolder } from '../config/folder.ts';
import { FakeClock } from '../doubles/fake-clock.ts';

const SECRET = 'SECRET:with:colons';

function upstreamWith(auth?: UpstreamAuth): UpstreamConfig {
  const timeouts = { connectTimeoutMs: 1, headersTimeoutMs: 1, bodyTimeoutMs: 1 };
  const common = { urls: ['https://h.example'], passThrough: false, hosts: [], ...timeouts };
  return auth === undefined ? common : { ...common, auth };
}

/** Helpers that give an answer or fail, and remember how they were run. */
class FakeHelpers implements Processes {
  readonly runs: string[] = [];
  answer: string | Error;

  constructor(answer: string | Error) {
    this.answer = answer;
  }

  run(command: string, args: readonly string[], input: string): Promise<string> {
    this.runs.push(`${command} ${args.join(' ')} <<< ${input}`);
    const { answer } = this;
    return typeof answer === 'string' ? Promise.resolve(answer) : Promise.reject(answer);
  }
}

const ANSWER = JSON.stringify({ ServerURL: 'x', Username: 'u', Secret: SECRET });

test('configuredCredential() gives nothing without auth, and what auth says', async (t) => {
  const runtime = (await makeFolder(t)).runtime();
  t.is(await configuredCredential('ghcr.io', upstreamWith(), runtime)(), undefined);
  const credential = { username: 'u', password: SECRET };
  t.deepEqual(
    await configuredCredential('ghcr.io', upstreamWith(credential), runtime)(),
    credential,
  );
});

test('configuredCredential() reads the password file again when it was changed', async (t) => {
  const folder = await makeFolder(t);
  const passwordFile = await folder.write('password', 'one\n');
  const auth = { username: 'u', passwordFile };
  const credential = configuredCredential('ghcr.io', upstreamWith(auth), folder.runtime());
  t.deepEqual(await credential(), { username: 'u', password: 'one' });
  await folder.write('password', 'two \r\n');
  await utimes(passwordFile, 1, 1);
  t.deepEqual(await credential(), { username: 'u', password: 'two ' });
  await folder.write('password', '\n');
  await t.throwsAsync(credential(), { instanceOf: CredentialError, message: /password is empty/ });
});

test('configuredCredential() names the password file that cannot be read', async (t) => {
  const folder = await makeFolder(t);
  const auth = { username: 'u', passwordFile: `${folder.path}/none` };
  const credential = configuredCredential('ghcr.io', upstreamWith(auth), folder.runtime());
  const error = await t.throwsAsync(credential(), { instanceOf: CredentialError });
  t.is(error?.code, 'CREDENTIAL_FILE');
  t.true(error?.message.startsWith(`${folder.path}/none cannot be read (`));
});

test('configuredCredential() finds entries of a Docker config.json', async (t) => {
  const folder = await makeFolder(t);
  const auth = Buffer.from(`ü:${SECRET}\0`).toString('base64');
  const dockerConfig = await folder.write(
    'config.json',
    JSON.stringify({
      auths: {
        'https://index.docker.io/v1/': { auth },
        'https://old.example/v2/': { username: 'o', password: 'p' },
        'quay.io/o/r': { auth },
        'quay.io': { username: 'q', password: 'r' },
      },
    }),
  );
  const find = (name: string) =>
    configuredCredential(name, upstreamWith({ dockerConfig }), folder.runtime())();
  t.deepEqual(await find('docker.io'), { username: 'ü', password: SECRET });
  t.deepEqual(await find('old.example'), { username: 'o', password: 'p' });
  t.deepEqual(await find('quay.io'), { username: 'q', password: 'r' });
  const error = await t.throwsAsync(find('ghcr.io'), { instanceOf: CredentialError });
  t.is(error?.code, 'CREDENTIAL_MISSING');
  t.regex(String(error?.message), /config\.json has no entry for ghcr\.io \(run docker login ghcr/);
});

test('configuredCredential() asks the helpers that a Docker config.json names', async (t) => {
  const folder = await makeFolder(t);
  const dockerConfig = await folder.write(
    'config.json',
    JSON.stringify({
      auths: { 'docker.io': {}, 'https://index.docker.io/v1/': {} },
      credHelpers: { 'ghcr.io': 'own' },
      credsStore: 'common',
    }),
  );
  const processes = new FakeHelpers(ANSWER);
  const runtime = folder.runtime({}, { processes });
  for (const name of ['ghcr.io', 'docker.io']) {
    const credential = configuredCredential(name, upstreamWith({ dockerConfig }), runtime);
    t.deepEqual(await credential(), { username: 'u', password: SECRET });
  }
  t.deepEqual(processes.runs, [
    'docker-credential-own get <<< ghcr.io',
    'docker-credential-common get <<< https://index.docker.io/v1/',
  ]);
});

test('configuredCredential() asks a helper once in five minutes, however many ask', async (t) => {
  const folder = await makeFolder(t);
  const processes = new FakeHelpers(ANSWER);
  const clock = new FakeClock();
  const runtime = folder.runtime({}, { processes, clock });
  const credential = configuredCredential('ghcr.io', upstreamWith({ helper: 'pass' }), runtime);
  await Promise.all([credential(), credential()]);
  await clock.advance(299_999);
  await credential();
  t.deepEqual(processes.runs, ['docker-credential-pass get <<< ghcr.io']);
  await clock.advance(1);
  processes.answer = new Error('failed with 1');
  const error = await t.throwsAsync(credential(), { instanceOf: CredentialError });
  t.is(
    error?.message,
    'docker-credential-pass gave no credential for ghcr.io (try: echo ghcr.io | docker-credential-pass get)',
  );
  processes.answer = ANSWER;
  t.deepEqual(await credential(), { username: 'u', password: SECRET });
});

test('configuredCredential() refuses identity tokens and says what to use instead', async (t) => {
  const folder = await makeFolder(t);
  const answer = JSON.stringify({ Username: '<token>', Secret: SECRET });
  const runtime = folder.runtime({}, { processes: new FakeHelpers(answer) });
  const helper = configuredCredential('r.example', upstreamWith({ helper: 'x' }), runtime);
  const entry = { auths: { 'r.example': { auth: 'dTo=', identitytoken: SECRET } } };
  const dockerConfig = await folder.write('config.json', JSON.stringify(entry));
  const file = configuredCredential('r.example', upstreamWith({ dockerConfig }), runtime);
  for (const credential of [helper, file]) {
    const error = await t.throwsAsync(credential(), { instanceOf: CredentialError });
    t.is(error?.code, 'CREDENTIAL_UNSUPPORTED');
    t.regex(String(error?.message), /log in with a user name and an access token/);
  }
});

test('configuredCredential() never shows the secret when what holds it is broken', async (t) => {
  const folder = await makeFolder(t);
  const files = [
    `{"auths": {"r.example": {"auth": "${SECRET}`,
    `["${SECRET}"]`,
    JSON.stringify({ auths: { 'r.example': { auth: `${SECRET}!` } } }),
    JSON.stringify({ auths: { 'r.example': { auth: Buffer.from('SECRET').toString('base64') } } }),
  ];
  for (const [index, text] of files.entries()) {
    const dockerConfig = await folder.write(`${index}.json`, text);
    const upstream = upstreamWith({ dockerConfig });
    const credential = configuredCredential('r.example', upstream, folder.runtime());
    const error = await t.throwsAsync(credential(), { instanceOf: CredentialError });
    t.is(error?.code, 'CREDENTIAL_INVALID');
    t.notRegex(`${error?.stack}${String(error?.cause)}`, /SECRET|U0VDUkVU/);
  }
  for (const answer of [SECRET, JSON.stringify({ Secret: SECRET })]) {
    const runtime = folder.runtime({}, { processes: new FakeHelpers(answer) });
    const credential = configuredCredential('r.example', upstreamWith({ helper: 'x' }), runtime);
    const error = await t.throwsAsync(credential(), { instanceOf: CredentialError });
    t.notRegex(`${error?.stack}${String(error?.cause)}`, /SECRET/);
  }
});
