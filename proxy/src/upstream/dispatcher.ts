// Connections to one URL of an upstream and to the hosts it sends to: TLS, timeouts, proxies. Every
// address is resolved and checked here, and exactly the checked one is connected to, so that a name
// that changes its address in between (DNS rebinding) leads nowhere else.

import { Agent, buildConnector, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import type { UpstreamConfig } from '../config/config.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { AddressGuard, hostOf, RefusedTargetError, type TargetPurpose } from './address-guard.ts';
import { connectAny } from './connect-any.ts';
import { unlessAborted, withinBudget } from './time-budget.ts';

/** How long an idle connection is kept, in ms: below the idle limits of common load balancers (60 s). */
const KEEP_ALIVE_MS = 15_000;

/** Largest response header block, in bytes: four times Node's default, for CDNs with long headers. */
const MAX_HEADER_SIZE = 64 * 1024;

/** How long a name is looked up that a proxy will look up again: sites with proxies may have no resolver. */
const PROXIED_LOOKUP_MS = 1000;

export type UpstreamResponse = Dispatcher.ResponseData;

/** A request as undici takes it, without its address. */
export interface RequestParts {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** What TLS needs, as PEM. */
export interface TlsMaterial {
  /** All authorities to trust; those of the runtime when absent. */
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

/** Reads the files that the configuration names. */
export async function loadTlsMaterial(
  config: UpstreamConfig,
  runtime: Pick<Runtime, 'files' | 'network'>,
): Promise<TlsMaterial> {
  const { files, network } = runtime;
  return {
    ...(config.ca === undefined
      ? {}
      : { ca: [...network.rootCertificates, await files.readText(config.ca)] }),
    ...(config.clientCert === undefined ? {} : { cert: await files.readText(config.clientCert) }),
    ...(config.clientKey === undefined ? {} : { key: await files.readText(config.clientKey) }),
  };
}

/** One base URL of an upstream with its connections. */
export class Endpoint {
  readonly base: URL;
  readonly #guard: AddressGuard;
  readonly #runtime: Pick<Runtime, 'network' | 'clock'>;
  /** To the upstream's own host: the client certificate is shown, any address will do. */
  readonly #own: Dispatcher;
  /** To other hosts. */
  readonly #guarded: Dispatcher;
  readonly #isProxied: boolean;

  constructor(
    url: string,
    config: UpstreamConfig,
    tls: TlsMaterial,
    runtime: Pick<Runtime, 'network' | 'clock' | 'environment'>,
  ) {
    this.base = new URL(url);
    this.#runtime = runtime;
    this.#guard = new AddressGuard(this.base, runtime.network);
    const proxies = proxiesOf(config, runtime.environment);
    this.#isProxied = proxies.httpProxy !== '' || proxies.httpsProxy !== '';
    const { ca } = tls;
    this.#own = this.#open(config, tls, proxies, (host) => runtime.network.lookup(host));
    this.#guarded = this.#open(config, ca === undefined ? {} : { ca }, proxies, (host) =>
      this.#guard.resolve(host),
    );
  }

  /** Sends a request to the base URL or, after a check, to where the upstream sent to. */
  async send(
    url: URL,
    purpose: TargetPurpose | 'base',
    parts: RequestParts,
  ): Promise<UpstreamResponse> {
    if (purpose !== 'base') await this.#check(url, purpose);
    const dispatcher = this.#guard.isOwnHost(url) ? this.#own : this.#guarded;
    return await dispatcher.request({
      ...parts,
      // undici closes the connection after a HEAD, for servers that wrongly send a body; registries do
      // not, and a body would only fail the next request, which is tried again.
      reset: false,
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#own.destroy(), this.#guarded.destroy()]);
  }

  async #check(url: URL, purpose: TargetPurpose): Promise<void> {
    await this.#guard.check(url, purpose);
    if (!this.#isProxied || this.#guard.isOwnHost(url)) return;
    // Behind a proxy it is the proxy that connects: what the name means here is all that can be checked.
    try {
      await withinBudget(this.#runtime.clock, PROXIED_LOOKUP_MS, undefined, (signal) =>
        unlessAborted(signal, this.#guard.resolve(hostOf(url))),
      );
    } catch (error) {
      // A name that only the proxy can resolve is the proxy's to judge.
      if (error instanceof RefusedTargetError) throw error;
    }
  }

  #open(
    config: UpstreamConfig,
    tls: TlsMaterial,
    proxies: Proxies,
    resolve: (host: string) => Promise<readonly string[]>,
  ): Dispatcher {
    const connection = connectionOptions(config, tls);
    const options = {
      headersTimeout: config.headersTimeoutMs,
      bodyTimeout: config.bodyTimeoutMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_SIZE,
      connect: resolvingConnector(connection, resolve, this.#runtime),
    };
    if (!this.#isProxied) return new Agent(options);
    const proxyConnection = connectionOptions(config, tls.ca === undefined ? {} : { ca: tls.ca });
    return new EnvHttpProxyAgent({
      ...options,
      ...proxies,
      requestTls: connection,
      proxyTls: proxyConnection,
    });
  }
}

function connectionOptions(config: UpstreamConfig, tls: TlsMaterial): buildConnector.BuildOptions {
  const { ca, ...pair } = tls;
  return {
    timeout: config.connectTimeoutMs,
    ...pair,
    ...(ca === undefined ? {} : { ca: [...ca] }),
  };
}

/** A connector that resolves by itself and gives undici's connector nothing but addresses. */
function resolvingConnector(
  options: buildConnector.BuildOptions,
  resolve: (host: string) => Promise<readonly string[]>,
  { clock }: Pick<Runtime, 'clock'>,
): buildConnector.connector {
  const connect = buildConnector(options);
  const open = (target: buildConnector.Options, address: string): Promise<Socket> =>
    new Promise((done, fail) => {
      connect({ ...target, hostname: address }, (error, socket) => {
        if (error === null) done(socket);
        else fail(error);
      });
    });
  return (target, callback) => {
    resolve(target.hostname)
      .then((addresses) => connectAny(addresses, (address) => open(target, address), clock))
      .then(
        (socket) => callback(null, socket),
        (error: unknown) =>
          callback(error instanceof Error ? error : new Error('no address'), null),
      );
  };
}

type Socket = NonNullable<Parameters<buildConnector.Callback>[1]>;

interface Proxies {
  /** Empty for none: undici would else look into the process's environment by itself. */
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
}

/** The configured proxy for everything, else what the environment says, lower case first as curl does. */
export function proxiesOf(
  config: Pick<UpstreamConfig, 'proxy'>,
  environment: Runtime['environment'],
): Proxies {
  if (config.proxy !== undefined)
    return { httpProxy: config.proxy, httpsProxy: config.proxy, noProxy: '' };
  const read = (name: string) => environment[name.toLowerCase()] ?? environment[name] ?? '';
  return {
    httpProxy: read('HTTP_PROXY'),
    httpsProxy: read('HTTPS_PROXY'),
    noProxy: read('NO_PROXY'),
  };
}
