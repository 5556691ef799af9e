// Whether the program lives, and whether it can serve.

/** Rejects when the part cannot be used. */
export type ReadinessCheck = () => Promise<unknown>;

export interface Readiness {
  readonly isReady: boolean;
  /** What each part says: `ok` or why not. */
  readonly parts: Readonly<Record<string, string>>;
}

/** Longest that a part may take to answer, ms: probes give up after a second or a few. */
const CHECK_MS = 2000;

/** Asks every part at once. Upstreams are no part of it: the mirror serves without them. */
export async function checkReadiness(
  checks: Readonly<Record<string, ReadinessCheck>>,
): Promise<Readiness> {
  const answers = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await runCheck(check)] as const),
  );
  return {
    isReady: answers.every(([, answer]) => answer === 'ok'),
    parts: Object.fromEntries(answers),
  };
}

async function runCheck(check: ReadinessCheck): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${CHECK_MS} ms`), CHECK_MS);
  });
  try {
    return await Promise.race([check().then(() => 'ok'), late]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
