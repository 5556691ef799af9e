// What the event loop and a hash worker say to each other. Every job has an id chosen by the asker.

import type { DigestAlgorithm } from '../../oci/digest.ts';

export type HashRequest =
  | {
      readonly kind: 'open';
      readonly id: number;
      readonly path: string;
      readonly algorithm: DigestAlgorithm;
    }
  /** The file has at least `length` bytes: hash that far and say `hashed`. */
  | { readonly kind: 'extend'; readonly id: number; readonly length: number }
  /** No more bytes come: give the hash of what was said so far and forget the job. */
  | { readonly kind: 'finish'; readonly id: number }
  | { readonly kind: 'close'; readonly id: number };

export type HashReply =
  | { readonly kind: 'hashed'; readonly id: number; readonly length: number }
  | { readonly kind: 'finished'; readonly id: number; readonly hex: string }
  | {
      readonly kind: 'failed';
      readonly id: number;
      /** POSIX code of the file system's error, or `SHORT` when the file has fewer bytes than said. */
      readonly code: string;
      readonly message: string;
    };
