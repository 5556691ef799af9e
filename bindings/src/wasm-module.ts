// What the WebAssembly module exports (wasm/src).

import type { ContentHasher, DigestAlgorithm } from './core.ts';

export interface WasmModule {
  readonly ContentHasher: new (algorithm: DigestAlgorithm) => ContentHasher;
  version(): string;
  fileId(bytes: Uint8Array): string;
  contentDigest(algorithm: DigestAlgorithm, bytes: Uint8Array): string;
}
