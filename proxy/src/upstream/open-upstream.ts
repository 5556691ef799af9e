// Opens an upstream as it is configured.

import type { Credential } from '../access/credential.ts';
import type { UpstreamConfig } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { loadTlsMaterial } from './dispatcher.ts';
import { LoginSource } from './login-source.ts';
import { RegistryUpstream } from './registry-upstream.ts';
import type { Upstream } from './upstream.ts';
import { UpstreamClient } from './upstream-client.ts';

export interface OpenUpstreamOptions {
  /** Its name in the configuration, such as `docker.io`. */
  readonly name: string;
  readonly config: UpstreamConfig;
  readonly runtime: Runtime;
  /** The configured credential, asked for before each request. */
  readonly credential: () => Promise<Credential | undefined>;
  readonly log?: Log;
  /** Spreads retries; gives numbers from 0 up to 1. */
  readonly random?: () => number;
}

/** Contacts nothing yet. Rejects when a certificate or key cannot be read. */
export async function openUpstream(options: OpenUpstreamOptions): Promise<Upstream> {
  const { name, config, runtime, credential, log, random = Math.random } = options;
  const tls = await loadTlsMaterial(config, runtime);
  const logins = new LoginSource(name, credential, runtime.hashing);
  const client = new UpstreamClient({ name, config, tls, runtime, logins, log, random });
  return new RegistryUpstream(name, config.passThrough, client);
}
