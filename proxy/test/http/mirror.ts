// Mica in front of a registry of the test's own: what most files of this suite begin with.

import { type MicaUnderTest, startMica } from '../server-under-test.ts';
import type { Registry, RegistryOptions } from '../upstream-double/contract.ts';
import { startRegistry } from '../upstream-double/registry.ts';

export interface MirrorOptions {
  readonly registry?: RegistryOptions;
  /** Further settings of the upstream, beside its URL. */
  readonly upstream?: Readonly<Record<string, unknown>>;
  /** Further upstreams. */
  readonly upstreams?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly data?: string;
  /** So many further upstreams with the same URL: tests that break one leave the others' circuits alone. */
  readonly spares?: number;
}

export interface MirrorUnderTest {
  readonly upstream: Registry;
  readonly mica: MicaUnderTest;
  /** A URL on the public port, such as `url('/v2/')`. */
  url(path: string): string;
  /** The name of a spare upstream that no other test has. */
  spare(): string;
  stop(): Promise<void>;
}

/** The name of the registry in the configuration; it is the default upstream. */
export const UPSTREAM = 'up.test';

export async function startMirror(options: MirrorOptions = {}): Promise<MirrorUnderTest> {
  const upstream = await startRegistry(options.registry);
  const settings = { url: upstream.url, ...options.upstream };
  const spares = Array.from({ length: options.spares ?? 0 }, (_, number) => `spare${number}.test`);
  const names = [UPSTREAM, ...spares];
  const mica = await startMica({
    upstreams: {
      ...Object.fromEntries(names.map((name) => [name, settings])),
      ...options.upstreams,
    },
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(options.data === undefined ? {} : { data: options.data }),
  }).catch(async (error: unknown) => {
    await upstream.close();
    throw error;
  });
  return {
    upstream,
    mica,
    url: (path) => `${mica.url}${path}`,
    spare: () => {
      const name = spares.pop();
      if (name === undefined) throw new Error('not enough spare upstreams');
      return name;
    },
    stop: async () => {
      await mica.stop().finally(() => upstream.close());
    },
  };
}
