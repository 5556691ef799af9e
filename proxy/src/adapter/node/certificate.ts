// The server's certificate, loaded anew when its files change: no restart for a renewal.

import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:https';
import type { Config } from '../../config/config.ts';
import type { Log } from '../../log.ts';

type TlsConfig = NonNullable<Config['tls']>;

/** How often the files are looked at, ms. Events of the file system miss the symbolic links that
 * Kubernetes and certbot renew certificates by. */
const LOOK_EVERY_MS = 2000;

export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
}

/** Reads the files; rejects with the file system's error. */
export async function loadCertificate(tls: TlsConfig): Promise<Certificate> {
  const [cert, key] = await Promise.all([readFile(tls.cert), readFile(tls.key)]);
  const isMutual = tls.clientCa !== undefined;
  return {
    cert,
    key,
    ...(tls.clientCa === undefined ? {} : { ca: await readFile(tls.clientCa) }),
    requestCert: isMutual,
    rejectUnauthorized: isMutual,
  };
}

/** Follows the files until the function that it gives is called. */
export function watchCertificate(
  tls: TlsConfig,
  server: Pick<Server, 'setSecureContext'>,
  log: Log,
  lookEveryMs: number = LOOK_EVERY_MS,
): () => void {
  const paths = [tls.cert, tls.key, ...(tls.clientCa === undefined ? [] : [tls.clientCa])];
  const reload = async (): Promise<void> => {
    try {
      server.setSecureContext(await loadCertificate(tls));
      log.info({ cert: tls.cert }, 'the certificate was loaded anew');
    } catch (error) {
      // Certificate and key are written one after the other: the pair is tried again with the next.
      log.warn({ error, cert: tls.cert }, 'the new certificate cannot be used, the old one stays');
    }
  };
  const changed = (): void => {
    void reload();
  };
  for (const path of paths) {
    watchFile(path, { interval: lookEveryMs, persistent: false }, changed);
  }
  return () => {
    for (const path of paths) unwatchFile(path, changed);
  };
}
