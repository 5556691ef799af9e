import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type SecureContextOptions } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { generate } from 'selfsigned';
import { watchCertificate } from '../../src/adapter/node/certificate.ts';
import { listen } from '../../src/adapter/node/serve.ts';
import { silentLog, testApp } from '../doubles/test-app.ts';

interface Files {
  readonly cert: string;
  readonly key: string;
}

async function writeCertificate(files: Files, name: string): Promise<string> {
  const made = await generate([{ name: 'commonName', value: name }], { keySize: 2048 });
  await writeFile(files.key, made.private);
  await writeFile(files.cert, made.cert);
  return made.cert;
}

async function folderFor(t: ExecutionContext): Promise<Files> {
  const folder = await mkdtemp(join(tmpdir(), 'mica-certificate-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
}

/** The common name of the certificate that a new connection gets, undefined when it is refused. */
function nameAt(port: number, options: SecureContextOptions = {}): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    socket.once('error', () => resolve(undefined));
    socket.once('close', () => resolve(undefined));
    socket.once('data', () => {
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      resolve(Array.isArray(CN) ? CN[0] : CN);
    });
    socket.write('GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n');
  });
}

test('listen() serves TLS, to clients with a certificate only where one is asked for', async (t) => {
  const files = await folderFor(t);
  const cert = await writeCertificate(files, 'mica.test');
  const { app } = testApp();
  const any = { host: '127.0.0.1', port: 0 };
  for (const clientCa of [undefined, files.cert]) {
    const tls = { ...files, ...(clientCa === undefined ? {} : { clientCa }) };
    const config = { listen: any, admin: any, tls };
    const listening = await listen({ app, admin: app, config, log: silentLog });
    t.teardown(() => listening.drain());
    const port = Number(new URL(listening.listen).port);
    t.true(listening.listen.startsWith('https://'));
    t.is(await nameAt(port), clientCa === undefined ? 'mica.test' : undefined);
    t.is(await nameAt(port, { cert, key: await readFile(files.key) }), 'mica.test');
  }
});

test('watchCertificate() uses a new certificate and keeps the old one when it cannot', async (t) => {
  const files = await folderFor(t);
  await writeCertificate(files, 'old.test');
  const told: string[] = [];
  let wake: () => void = () => undefined;
  const tell = (_fields: object, message: string): void => {
    told.push(message);
    wake();
  };
  // Listens, since the watch alone does not keep a process alive.
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  const log = { ...silentLog, info: tell, warn: tell };
  t.teardown(watchCertificate(files, server, log, 20));
  const until = async (start: string): Promise<void> => {
    while (!told.at(-1)?.startsWith(start)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  await writeFile(files.cert, 'no certificate');
  await until('the new certificate cannot');
  await writeCertificate(files, 'new.test');
  await until('the certificate was loaded');
  t.pass();
});
