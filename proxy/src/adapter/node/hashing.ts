// Hashing: small bytes at once, larger ones through WebCrypto's threads, growing files in workers.

import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { DigestAlgorithm } from '../../oci/digest.ts';
import type { FollowedHash, Hashing, IncrementalHash } from '../../runtime/runtime.ts';
import type { HashReply, HashRequest } from './hash-messages.ts';

/** Up to this many bytes the hash is computed on the event loop: 40 us, less than a thread's detour. */
const MAX_INLINE_SIZE = 64 * 1024;

/** Threads that hash files. Two hash faster than most disks read, and leave the other cores alone. */
const MAX_WORKERS = 2;

/** Names of the algorithms in WebCrypto: https://w3c.github.io/webcrypto/#sha-registration */
const WEB_CRYPTO_NAMES: Readonly<Record<DigestAlgorithm, string>> = {
  sha256: 'SHA-256',
  sha512: 'SHA-512',
};

/** The file could not be hashed. `code` is a POSIX code, `SHORT`, `CLOSED` or `WORKER_ENDED`. */
export class HashError extends Error {
  override readonly name = 'HashError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** One worker thread with its jobs. It is started with the first and lives until it fails. */
class HashThread {
  readonly jobs: Map<number, FileHash> = new Map();
  readonly #worker: Worker;
  readonly #onEnd: (thread: HashThread) => void;
  #awaited = 0;

  constructor(onEnd: (thread: HashThread) => void) {
    this.#onEnd = onEnd;
    this.#worker = new Worker(new URL('./hash-worker.js', import.meta.url));
    this.#worker.on('message', (reply: HashReply) => this.jobs.get(reply.id)?.accept(reply));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', (code) => this.#end(new Error(`exit code ${code}`)));
    this.#worker.unref();
  }

  send(request: HashRequest): void {
    this.#worker.postMessage(request);
  }

  /** Keeps the process alive while somebody waits for a hash. */
  hold(): void {
    this.#awaited += 1;
    if (this.#awaited === 1) this.#worker.ref();
  }

  release(): void {
    this.#awaited -= 1;
    if (this.#awaited === 0) this.#worker.unref();
  }

  /** Ends the thread as a crash would. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #end(cause: unknown): void {
    this.#onEnd(this);
    const failed = [...this.jobs.values()];
    this.jobs.clear();
    for (const job of failed) {
      job.fail(new HashError('WORKER_ENDED', 'the hashing thread ended', { cause }));
    }
  }
}

/** A file that a thread hashes while it grows. */
class FileHash implements FollowedHash {
  readonly #id: number;
  readonly #path: string;
  readonly #thread: HashThread;
  #length = 0;
  #sent = 0;
  #hashed = 0;
  #failure: HashError | undefined;
  #result: Promise<string> | undefined;
  #resolve: (hex: string) => void = () => undefined;
  #reject: (error: HashError) => void = () => undefined;

  constructor(id: number, path: string, algorithm: DigestAlgorithm, thread: HashThread) {
    this.#id = id;
    this.#path = path;
    this.#thread = thread;
    thread.jobs.set(id, this);
    thread.send({ kind: 'open', id, path, algorithm });
  }

  get hashed(): number {
    return this.#hashed;
  }

  extend(length: number): void {
    if (length <= this.#length) return;
    this.#length = length;
    // One message is under way at a time: many small appends cost one message per turn of the thread.
    if (this.#hashed === this.#sent) this.#sendLength();
  }

  digest(): Promise<string> {
    this.#result ??= this.#failure === undefined ? this.#finish() : Promise.reject(this.#failure);
    return this.#result;
  }

  close(): void {
    if (this.#failure !== undefined || !this.#thread.jobs.delete(this.#id)) return;
    this.#thread.send({ kind: 'close', id: this.#id });
    this.fail(new HashError('CLOSED', `hashing of ${this.#path} was ended`));
  }

  accept(reply: HashReply): void {
    if (reply.kind === 'hashed') {
      this.#hashed = reply.length;
      if (this.#hashed === this.#sent) this.#sendLength();
      return;
    }
    this.#thread.jobs.delete(this.#id);
    if (reply.kind === 'failed') this.fail(new HashError(reply.code, reply.message));
    else this.#resolve(reply.hex);
  }

  fail(error: HashError): void {
    this.#failure = error;
    this.#reject(error);
  }

  #sendLength(): void {
    if (this.#sent === this.#length) return;
    this.#sent = this.#length;
    this.#thread.send({ kind: 'extend', id: this.#id, length: this.#sent });
  }

  #finish(): Promise<string> {
    const result = new Promise<string>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#sendLength();
    this.#thread.send({ kind: 'finish', id: this.#id });
    this.#thread.hold();
    return result.finally(() => this.#thread.release());
  }
}

/** Hashing with up to two worker threads, which are started when a file is first followed. */
export class ThreadedHashing implements Hashing {
  readonly #threads: Set<HashThread> = new Set();
  #nextId = 0;

  async hash(algorithm: DigestAlgorithm, bytes: Uint8Array): Promise<string> {
    if (bytes.length <= MAX_INLINE_SIZE) return createHash(algorithm).update(bytes).digest('hex');
    const result = await crypto.subtle.digest(WEB_CRYPTO_NAMES[algorithm], new Uint8Array(bytes));
    return Buffer.from(result).toString('hex');
  }

  follow(path: string, algorithm: DigestAlgorithm): FollowedHash {
    this.#nextId += 1;
    return new FileHash(this.#nextId, path, algorithm, this.#chooseThread());
  }

  incremental(algorithm: DigestAlgorithm): IncrementalHash {
    const hash = createHash(algorithm);
    return {
      update: (bytes) => {
        hash.update(bytes);
      },
      hex: () => hash.digest('hex'),
    };
  }

  /** Ends all threads; what they were hashing is rejected. The next follow() starts a new one. */
  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.terminate()));
  }

  #chooseThread(): HashThread {
    let idlest: HashThread | undefined;
    for (const thread of this.#threads) {
      if (idlest === undefined || thread.jobs.size < idlest.jobs.size) idlest = thread;
    }
    const isEnough = idlest?.jobs.size === 0 || this.#threads.size >= MAX_WORKERS;
    if (idlest !== undefined && isEnough) return idlest;
    const thread = new HashThread((ended) => this.#threads.delete(ended));
    this.#threads.add(thread);
    return thread;
  }
}
