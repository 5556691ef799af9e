// One job of the addon under its caller's signal, with what it calls back.

import type { JobOptions } from './core.ts';
import type { JobControl, NativeModule } from './native-module.ts';

export interface NativeJobOptions extends JobOptions {
  /** Answers the job's questions. What it rejects with ends the job and rejects the promise. */
  readonly answer?: ((about: Uint8Array) => Promise<Uint32Array>) | undefined;
}

/** A result that comes when the caller has just aborted is given to `letGo`. */
export async function runJob<T>(
  module: NativeModule,
  options: NativeJobOptions,
  start: (control: JobControl) => Promise<T>,
  letGo?: (result: T) => void,
): Promise<T> {
  const { signal } = options;
  signal?.throwIfAborted();
  const listener = new JobListener(options);
  const control = new module.JobControl(listener.hear, listener.reply);
  listener.control = control;
  const cancel = (): void => control.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  let result: { readonly value: T } | undefined;
  try {
    result = { value: await start(control) };
  } finally {
    signal?.removeEventListener('abort', cancel);
    if (result !== undefined && signal?.aborted === true) letGo?.(result.value);
    listener.end();
    // The job's own error says no more than that it was canceled.
    signal?.throwIfAborted();
  }
  return result.value;
}

/** Passes calls on until the job has ended or one of the caller's functions has thrown. */
class JobListener {
  /** Undefined where the caller does not listen. */
  readonly hear: ((done: number) => void) | undefined;
  readonly reply: ((question: number, about: Uint8Array) => void) | undefined;
  control: JobControl | undefined;
  #ended = false;
  #thrown: { readonly error: unknown } | undefined;

  constructor({ onProgress, answer }: NativeJobOptions) {
    if (onProgress !== undefined) {
      this.hear = (done) => {
        if (this.#ended) return;
        try {
          onProgress(done);
        } catch (error) {
          this.#fail(error);
        }
      };
    }
    if (answer !== undefined) {
      this.reply = (question, about) => {
        if (!this.#ended) this.#reply(question, about, answer).catch((error) => this.#fail(error));
      };
    }
  }

  /** Throws what one of the caller's functions has thrown. */
  end(): void {
    this.#ended = true;
    if (this.#thrown !== undefined) throw this.#thrown.error;
  }

  async #reply(
    question: number,
    about: Uint8Array,
    answer: (about: Uint8Array) => Promise<Uint32Array>,
  ): Promise<void> {
    this.control?.answer(question, await answer(about));
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#thrown = { error };
    this.control?.cancel();
  }
}
