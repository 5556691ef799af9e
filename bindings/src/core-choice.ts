// Which flavour of the core to use, as people say it.

import type { CoreFlavour } from './core.ts';

/** `auto` is native where it loads, else wasm. */
export type CoreChoice = 'auto' | CoreFlavour;

/** The text names no flavour. */
export class CoreChoiceError extends Error {
  override readonly name = 'CoreChoiceError';
  readonly code = 'CORE_CHOICE';
  readonly got: string;

  constructor(got: string) {
    super(`expected auto, native or wasm, got ${JSON.stringify(got)}`);
    this.got = got;
  }
}

/** Reads the value of the environment variable `CORE`; absent or empty is `auto`. */
export function parseCoreChoice(text: string | undefined): CoreChoice {
  switch (text) {
    case undefined:
    case '':
      return 'auto';
    case 'auto':
    case 'native':
    case 'wasm':
      return text;
    default:
      throw new CoreChoiceError(text);
  }
}
