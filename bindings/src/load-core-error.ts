// A flavour of the core that does not load.

import type { CoreFlavour } from './core.ts';

const ADVICE: Readonly<Record<CoreFlavour, string>> = {
  native: '`npm run setup` builds it (with Rust from https://rustup.rs); CORE=wasm does without it',
  wasm: '`npm run setup:wasm` builds it (with Rust from https://rustup.rs)',
};

export class LoadCoreError extends Error {
  override readonly name = 'LoadCoreError';
  readonly code = 'CORE_NOT_LOADED';
  readonly flavour: CoreFlavour;
  readonly path: string;

  constructor(flavour: CoreFlavour, path: string, options: ErrorOptions) {
    const { cause } = options;
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`cannot load the ${flavour} core ${path}: ${reason}. ${ADVICE[flavour]}.`, options);
    this.flavour = flavour;
    this.path = path;
  }
}
