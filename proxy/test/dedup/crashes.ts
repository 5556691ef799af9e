// Stops work at any step: every call of the parts is one, and the chosen one throws, before or after it
// has done its work. From then on nothing else does anything, as after a crash.

export class CrashError extends Error {
  override readonly name = 'CrashError';
}

export class Crash {
  /** Calls so far. */
  calls = 0;
  readonly #at: number;
  readonly #isAfter: boolean;
  #happened = false;

  /** Throws at call `at`; after it when `isAfter`. */
  constructor(at: number, isAfter: boolean) {
    this.#at = at;
    this.#isAfter = isAfter;
  }

  get happened(): boolean {
    return this.#happened;
  }

  /** The same object, whose asynchronous methods are steps. */
  watch<T extends object>(part: T, steps: readonly (keyof T & string)[]): T {
    return new Proxy(part, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        const bound = value.bind(target);
        return steps.some((step) => step === key) ? this.#step(bound) : bound;
      },
    });
  }

  #step(call: (...values: unknown[]) => unknown) {
    return async (...values: unknown[]): Promise<unknown> => {
      if (this.#happened) throw new CrashError('crashed before');
      const number = this.calls;
      this.calls += 1;
      if (number !== this.#at) return await call(...values);
      if (this.#isAfter) await call(...values);
      this.#happened = true;
      throw new CrashError(`crash at step ${number}`);
    };
  }
}
