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
import { type NativeJobOptions, runJob } from './native-job.ts';
import type { JobControl, NativeModule, Threads } from './native-module.ts';
import { NativeParts, type RunJob } from './native-parts.ts';
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
    const { recipe, algorithm = 'sha256', tarLimit, isProvenLater, pack } = options;
    const answer = pack === undefined ? undefined : (ids: Uint8Array) => pack.missing(ids);
    const native = { algorithm, tarLimit, isProvenLater, pack: pack?.path };
    return this.#run({ ...options, answer }, (control) =>
      this.#threads.ingest(control, layer, recipe, native),
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
    const run: RunJob = (...job) => runJob(this.#module, ...job);
    const opened = await run(
      options,
      (control) => this.#threads.openRestoration(control, recipe, packs, places),
      (unwanted) => unwanted.close(),
    );
    // One more than run at once, so that no thread waits for who reads.
    return new PartRestoration(new NativeParts(opened, run), this.#threads.size + 1);
  }

  #run<T>(options: NativeJobOptions, start: (control: JobControl) => Promise<T>): Promise<T> {
    return runJob(this.#module, options, start);
  }
}
