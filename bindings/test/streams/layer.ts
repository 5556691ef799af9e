// A layer of the corpus: an uncompressed tar and what is known of it.

export type LayerName =
  | 'debian'
  | 'python'
  | 'node-modules'
  | 'toolchain'
  | 'small-files'
  | 'incompressible';

export const LAYER_NAMES: readonly LayerName[] = [
  'debian',
  'python',
  'node-modules',
  'toolchain',
  'small-files',
  'incompressible',
];

/** Tiny: about 400 kB. Small: about 4 MB. Full: 30 to 250 MB. */
export type LayerSize = 'tiny' | 'small' | 'full';

export interface Layer {
  readonly name: LayerName;
  readonly size: LayerSize;
  /** Path of the tar. */
  readonly file: string;
  /** Bytes of the tar. */
  readonly length: number;
  /** SHA-256 of the tar, in hex. */
  readonly digest: string;
}
