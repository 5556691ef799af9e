// A data folder with a configuration in the environment, for tests of commands.

import type { ExecutionContext } from 'ava';
import type { CommandContext } from '../../src/commands/terminal.ts';
import { openDataFolder } from '../../src/store/data-folder.ts';
import { FakeClock } from '../doubles/fake-clock.ts';
import { MemoryTerminal } from '../doubles/memory-terminal.ts';
import { makeFolder, makeTestRuntime, removeFolder } from '../doubles/test-runtime.ts';
import type { StoreParts } from '../store/store-images.ts';

export class CommandFolder {
  readonly path: string;
  readonly clock = new FakeClock(Date.now());
  readonly #environment: Readonly<Record<string, string>>;

  constructor(path: string, environment: Readonly<Record<string, string>>) {
    this.path = path;
    this.#environment = environment;
  }

  /** A terminal and a context for one command. */
  context(): CommandContext & { readonly terminal: MemoryTerminal } {
    const runtime = makeTestRuntime({
      clock: this.clock,
      environment: { MICA_DATA: this.path, ...this.#environment },
      workingDirectory: this.path,
      run: async () => 'x86_64\n',
    });
    return { runtime, terminal: new MemoryTerminal() };
  }

  /** Does something with store and index, as a server would, and closes them. */
  async use<T>(work: (parts: StoreParts) => Promise<T>): Promise<T> {
    const { runtime } = this.context();
    const folder = await openDataFolder({ path: this.path, runtime });
    try {
      return await work({ store: folder.blobs, index: folder.index, nowMs: this.clock.now() });
    } finally {
      await folder.close();
    }
  }
}

/** Makes a folder that goes when the test ends. */
export async function makeCommandFolder(
  t: ExecutionContext,
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandFolder> {
  const path = await makeFolder();
  t.teardown(() => removeFolder(path));
  return new CommandFolder(path, environment);
}
