// A folder of a test's own, and a machine whose working folder it is.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { nodeRuntime } from '../../src/adapter/node/runtime.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';

export interface Folder {
  readonly path: string;
  /** Writes a file below the folder and gives its path. */
  write(name: string, text: string): Promise<string>;
  runtime(environment?: Readonly<Record<string, string>>, overrides?: Partial<Runtime>): Runtime;
}

/** Makes a folder that is removed after the test. */
export async function makeFolder(t: ExecutionContext): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'mica-config-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return {
    path,
    write: async (name, text) => {
      const file = join(path, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
      return file;
    },
    runtime: (environment = {}, overrides = {}) => ({
      ...nodeRuntime(),
      environment,
      workingDirectory: path,
      homeDirectory: join(path, 'home'),
      isRoot: false,
      ...overrides,
    }),
  };
}
