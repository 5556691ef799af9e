// The parts of a layer that is made again by the addon.

import type { JobOptions, LayerSummary } from './core.ts';
import type { JobControl, OpenedRestoration } from './native-module.ts';
import type { MadePart } from './part-reading.ts';
import type { PartEncoder, PartOptions, PartSource } from './restoration.ts';

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

  part(number: number, options: PartOptions): Promise<MadePart> {
    return this.#run(
      options,
      (control) => this.#opened.part(control, number, options.due),
      (unwanted) => unwanted.letGo(),
    );
  }

  encoder(): PartEncoder | undefined {
    const encoder = this.#opened.encoder();
    if (encoder === null) return undefined;
    return {
      encode: (part, options) =>
        this.#run(
          options,
          (control) => encoder.encode(control, part),
          (unwanted) => unwanted.letGo(),
        ),
      close: () => encoder.close(),
    };
  }

  close(): Promise<void> {
    this.#opened.close();
    return Promise.resolve();
  }
}
