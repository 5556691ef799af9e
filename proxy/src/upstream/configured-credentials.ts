// The credential that the configuration gives an upstream: written there, in a password file, in a
// Docker config.json, or from a credential helper.

import type { Credential } from '../access/credential.ts';
import type { UpstreamAuth, UpstreamConfig } from '../config/config.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { CredentialError } from './credential-error.ts';
import {
  dockerServer,
  findDockerEntry,
  identityTokenError,
  parseObject,
  textAt,
} from './docker-config.ts';

/**
 * How long a helper's or Docker config's answer is used, in milliseconds: short beside the hours
 * that cloud registries' passwords live, long beside the time between two pulls of one image.
 */
const CACHE_MS = 5 * 60_000;

/** What helpers answer as user name when the secret is an identity token. */
const IDENTITY_TOKEN_USER = '<token>';

type CredentialSource = () => Promise<Credential | undefined>;

/** Gives the function that finds an upstream's credential; it rejects with CredentialError. */
export function configuredCredential(
  upstreamName: string,
  config: UpstreamConfig,
  runtime: Runtime,
): CredentialSource {
  const { auth } = config;
  if (auth === undefined) return () => Promise.resolve(undefined);
  const { dockerConfig, helper } = auth;
  if (helper !== undefined) {
    return cached(runtime, () => runHelper(helper, upstreamName, runtime));
  }
  if (dockerConfig !== undefined) {
    return cached(runtime, () => readDockerConfig(dockerConfig, upstreamName, runtime));
  }
  return namedCredential(auth, runtime);
}

/** A user name with a password, or with a file that holds one. */
function namedCredential(auth: UpstreamAuth, runtime: Runtime): CredentialSource {
  const { username, password, passwordFile } = auth;
  if (username !== undefined && passwordFile !== undefined) {
    const read = passwordReader(passwordFile, runtime);
    return async () => ({ username, password: await read() });
  }
  const isComplete = username !== undefined && password !== undefined;
  const credential = isComplete ? { username, password } : undefined;
  return () => Promise.resolve(credential);
}

/** Reads the file again whenever it was changed, so that a password is replaced without a restart. */
function passwordReader(file: string, runtime: Runtime): () => Promise<string> {
  let last: { readonly modifiedMs: number; readonly password: string } | undefined;
  return async () => {
    const modifiedMs = await modifiedAt(file, runtime);
    if (last?.modifiedMs === modifiedMs) return last.password;
    const password = (await readFile(file, runtime)).replace(/\r?\n$/, '');
    if (password === '') {
      const hint = 'write the password into it';
      throw new CredentialError('CREDENTIAL_INVALID', `${file} is empty`, { hint });
    }
    last = { modifiedMs, password };
    return password;
  };
}

async function modifiedAt(file: string, runtime: Runtime): Promise<number> {
  try {
    const status = await runtime.files.stat(file);
    if (status !== undefined) return status.modifiedMs;
  } catch (cause) {
    throw fileError(file, cause);
  }
  throw fileError(file, undefined);
}

async function readFile(file: string, runtime: Runtime): Promise<string> {
  try {
    return await runtime.files.readText(file);
  } catch (cause) {
    throw fileError(file, cause);
  }
}

function fileError(file: string, cause: unknown): CredentialError {
  const hint = 'see that it exists and that the user of Mica may read it';
  return new CredentialError('CREDENTIAL_FILE', `${file} cannot be read`, { hint, cause });
}

async function readDockerConfig(
  file: string,
  upstreamName: string,
  runtime: Runtime,
): Promise<Credential> {
  const entry = findDockerEntry(await readFile(file, runtime), file, upstreamName);
  if (entry.kind === 'credential') return entry.credential;
  return runHelper(entry.helper, upstreamName, runtime);
}

/** https://github.com/docker/docker-credential-helpers#development: the server goes to standard input. */
async function runHelper(
  helper: string,
  upstreamName: string,
  runtime: Runtime,
): Promise<Credential> {
  const program = `docker-credential-${helper}`;
  const server = dockerServer(upstreamName);
  const tryOut = `try: echo ${server} | ${program} get`;
  let answer: string;
  try {
    answer = await runtime.processes.run(program, ['get'], server);
  } catch (cause) {
    const message = `${program} gave no credential for ${server}`;
    throw new CredentialError('CREDENTIAL_HELPER', message, { hint: tryOut, cause });
  }
  const fields = parseObject(answer, `the answer of ${program}`);
  const username = textAt(fields, 'Username');
  const password = textAt(fields, 'Secret');
  if (username === IDENTITY_TOKEN_USER) throw identityTokenError(program, upstreamName);
  if (username !== undefined && password !== undefined) return { username, password };
  const message = `the answer of ${program} lacks Username or Secret`;
  throw new CredentialError('CREDENTIAL_HELPER', message, { hint: tryOut });
}

/** Remembers an answer for a while, not a failure; calls at the same time share one look-up. */
function cached(runtime: Runtime, load: () => Promise<Credential>): CredentialSource {
  let last: { readonly untilMs: number; readonly credential: Promise<Credential> } | undefined;
  return () => {
    const now = runtime.clock.now();
    if (last !== undefined && now < last.untilMs) return last.credential;
    const current = { untilMs: now + CACHE_MS, credential: load() };
    last = current;
    current.credential.catch(() => {
      // The callers get the failure; here it only must not be remembered.
      if (last === current) last = undefined;
    });
    return current.credential;
  };
}
