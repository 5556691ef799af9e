// The parts of a layer that is made again by the addon.

import type { JobOptions, LayerSummary } from './core.ts';
import type { JobControl, OpenedRestoration } from './native-module.ts';
import type { MadePart } from './part-reading.ts';
import type { PartSource } from './restoration.ts';

/** Runs one job under its caller's signal; a result that nobody waits for any more goes to `letGo`. */
export type RunJob = <T>(
  options: JobOptions,
  start: (control: JobControl) => Promise<T>,
  letGo: (result: T) => void,
) => Promise<T>;

export class NativeParts implements PartSource {
  readonly summary: LayerSummary;
  readonly partEnds: Float64Array;
  readonly #opened: OpenedRestoration;
  readonly #run: RunJob;

  constructor(opened: OpenedRestoration, run: RunJob) {
    this.summary = opened.summary;
    this.partEnds = opened.partEnds();
    this.#opened = opened;
    this.#run = run;
  }

  part(number: number, options: JobOptions): Promise<MadePart> {
    return this.#run(
      options,
      (control) => this.#opened.part(control, number),
      (unwanted) => unwanted.letGo(),
    );
  }

  close(): Promise<void> {
    this.#opened.close();
    return Promise.resolve();
  }
}
