// Pulls through the running mirror as any client does, and checks every digest itself.

import { type Digest, digestAlgorithm, digestHex, isDigest } from '../oci/digest.ts';
import type { Descriptor, Manifest } from '../oci/manifest.ts';
import { MANIFEST_MEDIA_TYPES } from '../oci/media-type.ts';
import { parseManifest } from '../oci/parse-manifest.ts';
import type { ManifestReference, Repository } from '../oci/reference.ts';
import type { Hashing } from '../runtime/runtime.ts';

export interface PulledManifest extends Manifest {
  readonly digest: Digest;
}

/** `not-running`: nobody answers; `refused`: an answer other than 200; `wrong`: bytes of another digest or size. */
export class MirrorClientError extends Error {
  override readonly name = 'MirrorClientError';
  readonly code: 'not-running' | 'refused' | 'wrong';

  constructor(code: MirrorClientError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A body that ends short is asked for again: the mirror goes on with what it has by then. */
const MAX_ATTEMPTS = 3;

/** Longest part of an error's body that is shown, in characters. */
const MAX_SHOWN = 300;

export class MirrorClient {
  readonly #base: string;
  readonly #hashing: Hashing;

  /** `base` is the mirror's URL without a path. */
  constructor(base: string, hashing: Hashing) {
    this.#base = base;
    this.#hashing = hashing;
  }

  /** Resolves when the mirror runs and asks for no login. */
  async ping(): Promise<void> {
    const response = await this.#get('/v2/');
    await response.arrayBuffer();
  }

  async getManifest(repository: Repository, reference: ManifestReference): Promise<PulledManifest> {
    const last = reference.kind === 'tag' ? reference.tag : reference.digest;
    const path = `${pathOf(repository)}/manifests/${last}`;
    const response = await this.#get(path, { accept: MANIFEST_MEDIA_TYPES.join(', ') });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const named = response.headers.get('docker-content-digest') ?? '';
    const digest = reference.kind === 'digest' ? reference.digest : named;
    if (!isDigest(digest))
      throw new MirrorClientError('wrong', `${path}: the answer has no digest`);
    const hash = this.#hashing.incremental(digestAlgorithm(digest));
    hash.update(bytes);
    checkHash(path, digest, hash.hex());
    return { digest, ...parseManifest(bytes, response.headers.get('content-type') ?? '') };
  }

  /** Reads a blob to its end; `onBytes` is told how many came, each byte once. */
  async getBlob(
    repository: Repository,
    blob: Descriptor,
    onBytes: (count: number) => void,
  ): Promise<void> {
    let told = 0;
    const tell = (position: number) => {
      if (position > told) onBytes(position - told);
      told = Math.max(told, position);
    };
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#readBlob(repository, blob, tell);
        return;
      } catch (error) {
        // What was refused or wrong would be so again.
        if (error instanceof MirrorClientError || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  async #readBlob(
    repository: Repository,
    blob: Descriptor,
    tell: (position: number) => void,
  ): Promise<void> {
    const path = `${pathOf(repository)}/blobs/${blob.digest}`;
    const response = await this.#get(path);
    const hash = this.#hashing.incremental(digestAlgorithm(blob.digest));
    let position = 0;
    for await (const chunk of response.body ?? []) {
      hash.update(chunk);
      position += chunk.length;
      tell(position);
    }
    checkHash(path, blob.digest, hash.hex());
  }

  async #get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${this.#base}${path}`, { headers });
    } catch (error) {
      throw new MirrorClientError('not-running', `nothing answers on ${this.#base}`, {
        cause: error,
      });
    }
    if (response.status === 200) return response;
    const text = (await response.text()).slice(0, MAX_SHOWN);
    throw new MirrorClientError('refused', `${path}: ${response.status} ${messageOf(text)}`);
  }
}

function pathOf({ upstream, name }: Repository): string {
  return `/v2/${upstream}/${name}`;
}

function checkHash(path: string, digest: Digest, hex: string): void {
  if (hex === digestHex(digest)) return;
  throw new MirrorClientError('wrong', `${path}: the bytes are not those of ${digest}, but ${hex}`);
}

/** The first message of an error in the specification's form, else the text. */
function messageOf(text: string): string {
  return /"message":\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text;
}
