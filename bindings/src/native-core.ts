// The core over the addon.

import type {
  CheckedPack,
  CheckPackOptions,
  ContentHasher,
  Core,
  DigestAlgorithm,
  FileDigest,
  FileReference,
  HashFileOptions,
  IngestedLayer,
  IngestOptions,
  JobOptions,
  PackedFiles,
  PackFilesOptions,
  Restoration,
  RestoreOptions,
} from './core.ts';
import type { JobControl, NativeModule, Threads } from './native-module.ts';
import { NativeParts } from './native-parts.ts';
import { PartRestoration } from './restoration.ts';

/** The threads that a core has for its jobs. */
export interface CoreThreads {
  /** How many; as many as the machine can run at once when absent. */
  readonly workers?: number | undefined;
  /** Whether they give way to all other threads of the machine, where the system can do that (Linux). */
  readonly isBackground?: boolean | undefined;
}

export class NativeCore implements Core {
  readonly flavour = 'native';
  readonly version: string;
  readonly #module: NativeModule;
  readonly #threads: Threads;

  constructor(module: NativeModule, { workers, isBackground }: CoreThreads) {
    this.version = module.version();
    this.#module = module;
    this.#threads = new module.Threads(workers, isBackground);
  }

  fileId(bytes: Uint8Array): string {
    return this.#module.fileId(bytes);
  }

  contentDigest(algorithm: DigestAlgorithm, bytes: Uint8Array): string {
    return this.#module.contentDigest(algorithm, bytes);
  }

  contentHasher(algorithm: DigestAlgorithm): ContentHasher {
    return new this.#module.ContentHasher(algorithm);
  }

  hashFile(file: FileReference, options: HashFileOptions): Promise<FileDigest> {
    const { algorithm, expectedSize } = options;
    return this.#run(options, (control) =>
      this.#threads.hashFile(control, file, algorithm, expectedSize),
    );
  }

  ingest(layer: FileReference, options: IngestOptions): Promise<IngestedLayer> {
    const { recipe, algorithm = 'sha256', tarLimit, isProvenLater } = options;
    return this.#run(options, (control) =>
      this.#threads.ingest(control, layer, recipe, { algorithm, tarLimit, isProvenLater }),
    );
  }

  packFiles(layer: FileReference, options: PackFilesOptions): Promise<PackedFiles> {
    const { recipe, pack, files } = options;
    return this.#run(options, (control) =>
      this.#threads.packFiles(control, layer, recipe, pack, files),
    );
  }

  checkPack(pack: FileReference, options: CheckPackOptions = {}): Promise<CheckedPack> {
    return this.#run(options, (control) => this.#threads.checkPack(control, pack, options.size));
  }

  fileIds(recipe: FileReference, options: JobOptions = {}): Promise<Uint8Array> {
    return this.#run(options, (control) => this.#threads.fileIds(control, recipe));
  }

  fileSizes(recipe: FileReference, options: JobOptions = {}): Promise<Uint8Array> {
    return this.#run(options, (control) => this.#threads.fileSizes(control, recipe));
  }

  async openRestoration(options: RestoreOptions & JobOptions): Promise<Restoration> {
    const { recipe, packs, places } = options;
    const run = this.#run.bind(this);
    const opened = await run(
      options,
      (control) => this.#threads.openRestoration(control, recipe, packs, places),
      (unwanted) => unwanted.close(),
    );
    // One more than run at once, so that no thread waits for who reads.
    return new PartRestoration(new NativeParts(opened, run), this.#threads.size + 1);
  }

  /**
   * Runs one job under its caller's signal. A result that comes when the caller has just aborted is
   * given to `letGo`.
   */
  async #run<T>(
    options: JobOptions,
    start: (control: JobControl) => Promise<T>,
    letGo?: (result: T) => void,
  ): Promise<T> {
    const { signal, onProgress } = options;
    signal?.throwIfAborted();
    const listener = onProgress === undefined ? undefined : new ProgressListener(onProgress);
    const control = new this.#module.JobControl(listener?.hear);
    const cancel = (): void => control.cancel();
    if (listener !== undefined) listener.onThrow = cancel;
    signal?.addEventListener('abort', cancel, { once: true });
    let result: { readonly value: T } | undefined;
    try {
      result = { value: await start(control) };
    } finally {
      signal?.removeEventListener('abort', cancel);
      if (result !== undefined && signal?.aborted === true) letGo?.(result.value);
      listener?.end();
      // The job's own error says no more than that it was canceled.
      signal?.throwIfAborted();
    }
    return result.value;
  }
}

/** Passes progress on until the job has ended or the caller's function has thrown. */
class ProgressListener {
  onThrow: () => void = () => undefined;
  readonly #onProgress: (done: number) => void;
  #ended = false;
  #thrown: { readonly error: unknown } | undefined;

  constructor(onProgress: (done: number) => void) {
    this.#onProgress = onProgress;
  }

  readonly hear = (done: number): void => {
    if (this.#ended) return;
    try {
      this.#onProgress(done);
    } catch (error) {
      this.#ended = true;
      this.#thrown = { error };
      this.onThrow();
    }
  };

  /** Throws what the caller's function has thrown. */
  end(): void {
    this.#ended = true;
    if (this.#thrown !== undefined) throw this.#thrown.error;
  }
}
