// An upstream client in front of a fake registry, with short timeouts and no waiting between tries.

import type { ExecutionContext } from 'ava';
import type { Credential } from '../../src/access/credential.ts';
import { systemClock } from '../../src/adapter/node/clock.ts';
import type { UpstreamConfig } from '../../src/config/config.ts';
import { type Digest, parseDigest } from '../../src/oci/digest.ts';
import { parseManifestReference, parseRepositoryName } from '../../src/oci/reference.ts';
import type { Clock, Network, Runtime } from '../../src/runtime/runtime.ts';
import { openUpstream } from '../../src/upstream/open-upstream.ts';
import {
  type ReceivedBlob,
  type Upstream,
  UpstreamError,
  type UpstreamErrorKind,
} from '../../src/upstream/upstream.ts';
import { makeTestRuntime } from '../doubles/test-runtime.ts';
import { type Registry, type RegistryOptions, startRegistry } from '../upstream-double/registry.ts';

/** The system's clock, shifted: timers of connections are real, ages are as the test wants them. */
export class ShiftedClock implements Clock {
  #shiftMs = 0;
  readonly #haste: number;

  constructor(haste: number) {
    this.#haste = haste;
  }

  now(): number {
    return Date.now() + this.#shiftMs;
  }

  shift(durationMs: number): void {
    this.#shiftMs += durationMs;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(durationMs / this.#haste, signal);
  }
}

export interface TestUpstreamOptions {
  readonly registry?: RegistryOptions;
  readonly config?: Partial<UpstreamConfig>;
  readonly credential?: Credential;
  readonly network?: Partial<Network>;
  readonly environment?: Readonly<Record<string, string>>;
  /** How many times shorter waits are than they would be. */
  readonly haste?: number;
}

export interface TestUpstream {
  readonly registry: Registry;
  readonly upstream: Upstream;
  readonly clock: ShiftedClock;
  readonly runtime: Runtime;
}

export const REPOSITORY = parseRepositoryName('o/r');
export const LATEST = parseManifestReference('latest');

/** Both end with the test. */
export async function startUpstream(
  t: ExecutionContext,
  options: TestUpstreamOptions = {},
): Promise<TestUpstream> {
  const registry = await startRegistry(options.registry);
  const clock = new ShiftedClock(options.haste ?? 1);
  const base = makeTestRuntime({ clock, environment: options.environment ?? {} });
  const runtime = { ...base, network: { ...base.network, ...options.network } };
  const upstream = await openUpstream({
    name: 'up.test',
    config: makeConfig({ urls: [registry.url], ...options.config }),
    runtime,
    credential: () => Promise.resolve(options.credential),
    random: () => 0,
  });
  t.teardown(async () => {
    await upstream.close();
    await registry.close();
  });
  return { registry, upstream, clock, runtime };
}

export function makeConfig(config: Partial<UpstreamConfig>): UpstreamConfig {
  return {
    urls: [],
    passThrough: false,
    hosts: [],
    connectTimeoutMs: 2000,
    headersTimeoutMs: 2000,
    bodyTimeoutMs: 2000,
    ...config,
  };
}

/** Puts a tagged image there and gives its layer's digest and bytes. */
export function putImage(registry: Registry, size = 1000) {
  const image = registry.putImage({
    repository: REPOSITORY,
    tag: 'latest',
    seed: 'image',
    layers: [size],
  });
  const layer = image.layers[0] ?? image.config;
  return { manifest: image.manifest, digest: digestOf(layer), bytes: layer.bytes };
}

export function digestOf({ digest }: { readonly digest: string }): Digest {
  return parseDigest(digest);
}

export async function readAll(blob: ReceivedBlob): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of blob.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The UpstreamError that the promise rejects with; fails the test when it has another kind. */
export async function rejects(
  t: ExecutionContext,
  kind: UpstreamErrorKind,
  promise: Promise<unknown>,
): Promise<UpstreamError> {
  const error = await t.throwsAsync(promise, { instanceOf: UpstreamError });
  t.is(error.kind, kind, error.message);
  return error;
}
