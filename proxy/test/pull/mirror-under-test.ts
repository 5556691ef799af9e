// A mirror over stand-ins for everything around it.

import type { ClientCredential, Viewer } from '../../src/access/credential.ts';
import { type Digest, parseDigest } from '../../src/oci/digest.ts';
import {
  parseManifestReference,
  parseRepositoryName,
  type Repository,
} from '../../src/oci/reference.ts';
import type { Observer } from '../../src/pull/observer.ts';
import { type OpenedMirror, openMirror } from '../../src/pull/open-mirror.ts';
import { type BlobSource, ShortBlobError } from '../../src/store/blob-store.ts';
import type { Space } from '../../src/store/space.ts';
import { FakeClock } from '../doubles/fake-clock.ts';
import { FakeUpstream } from '../doubles/fake-upstream.ts';
import { MemoryBlobStore } from '../doubles/memory-blob-store.ts';
import { MemoryIndex } from '../doubles/memory-index.ts';
import { quietLog } from '../doubles/quiet-log.ts';
import { makeTestRuntime } from '../doubles/test-runtime.ts';

export const TTL_MS = 60_000;
export const NEGATIVE_TTL_MS = 10_000;
export const STALE_MS = 3_600_000;
export const GRANT_MS = 300_000;

export class CountingObserver implements Observer {
  readonly fills: string[] = [];
  resumes = 0;
  answered(): void {
    // Not looked at.
  }
  fillStarted(): void {
    // Not looked at.
  }
  fillResumed(): void {
    this.resumes += 1;
  }
  fillEnded(outcome: string): void {
    this.fills.push(outcome);
  }
  damaged(): void {
    // Not looked at.
  }
  evicted(): void {
    // Not looked at.
  }
}

export class TestSpace implements Space {
  isRoomy = true;
  promised = 0;
  /** Whether images might have gone for what was asked for last. */
  mayEvict = false;
  admit(size: number, mayEvict = true): Promise<boolean> {
    this.mayEvict = mayEvict;
    if (this.isRoomy) this.promised += size;
    return Promise.resolve(this.isRoomy);
  }
  stored(size: number): void {
    this.promised -= size;
  }
  released(size: number): void {
    this.promised -= size;
  }
}

export interface MirrorUnderTest {
  readonly mirror: OpenedMirror;
  readonly upstream: FakeUpstream;
  readonly store: MemoryBlobStore;
  readonly index: MemoryIndex;
  readonly clock: FakeClock;
  readonly space: TestSpace;
  readonly observer: CountingObserver;
}

export function makeMirror(store: MemoryBlobStore = new MemoryBlobStore()): MirrorUnderTest {
  const upstream = new FakeUpstream();
  const index = new MemoryIndex();
  const clock = new FakeClock();
  const space = new TestSpace();
  const observer = new CountingObserver();
  const mirror = openMirror({
    config: {
      tags: { ttlMs: TTL_MS, negativeTtlMs: NEGATIVE_TTL_MS, staleIfErrorMs: STALE_MS },
      access: { grantTtlMs: GRANT_MS },
    },
    upstreams: new Map([['fake', upstream]]),
    store,
    index,
    space,
    runtime: makeTestRuntime({ clock }),
    observer,
    log: quietLog,
  });
  return { mirror, upstream, store, index, clock, space, observer };
}

export function repository(name: string): Repository {
  return { upstream: 'fake', name: parseRepositoryName(name) };
}

export function viewer(username?: string): Viewer {
  if (username === undefined) return {};
  const credential: ClientCredential = { username, password: 'p', fingerprint: `of-${username}` };
  return { credential };
}

export const reference = parseManifestReference;

export function descriptor(digest: Digest, size: number): object {
  return { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size };
}

/** A manifest that names one config and these layers. */
export function imageManifest(config: Digest, layers: readonly Digest[], size = 10): object {
  return {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { ...descriptor(config, size), mediaType: 'application/vnd.oci.image.config.v1+json' },
    layers: layers.map((digest) => descriptor(digest, size)),
  };
}

/** Bytes that are not all the same, the same for the same seed. */
export function patternBytes(size: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: size }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state >> 16;
  });
}

export interface ReadBody {
  readonly bytes: Buffer;
  readonly error?: unknown;
}

/** Reads to the end or to the failure, and closes. */
export async function readBody(source: BlobSource, from = 0): Promise<ReadBody> {
  const pieces: Uint8Array[] = [];
  let position = from;
  try {
    for (;;) {
      const piece = new Uint8Array(50_000);
      const count = await source.read(piece, position);
      if (count === 0) return { bytes: Buffer.concat(pieces) };
      pieces.push(piece.subarray(0, count));
      position += count;
    }
  } catch (error) {
    if (!(error instanceof ShortBlobError)) throw error;
    return { bytes: Buffer.concat(pieces), error };
  } finally {
    source.close();
  }
}

export const ABSENT_DIGEST: Digest = parseDigest(`sha256:${'0'.repeat(64)}`);
