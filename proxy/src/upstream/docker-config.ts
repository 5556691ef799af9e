// Credentials in a Docker config.json:
// https://github.com/docker/cli/blob/v28.0.0/cli/config/configfile/file.go

import type { Credential } from '../access/credential.ts';
import { CredentialError } from './credential-error.ts';

/** Where a Docker config.json says a registry's credential is. */
export type DockerConfigEntry =
  | { readonly kind: 'credential'; readonly credential: Credential }
  | { readonly kind: 'helper'; readonly helper: string };

/** What `docker login` without a host writes for Docker Hub. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

/** The name under which Docker and its credential helpers keep an upstream's credential. */
export function dockerServer(upstream: string): string {
  return upstream === 'docker.io' ? DOCKER_HUB_KEY : upstream;
}

/**
 * Finds an upstream's entry where Docker keeps it: its own helper, `auths`, then the common
 * helper: with that one in use, Docker leaves the entries in `auths` empty.
 */
export function findDockerEntry(text: string, file: string, upstream: string): DockerConfigEntry {
  const config = parseObject(text, file);
  const server = dockerServer(upstream);
  const ownHelper = textAt(asObject(config['credHelpers']), server);
  if (ownHelper !== undefined) return { kind: 'helper', helper: ownHelper };
  const credential = readEntry(entryFor(asObject(config['auths']), server), file, upstream);
  if (credential !== undefined) return { kind: 'credential', credential };
  const commonHelper = textAt(config, 'credsStore');
  if (commonHelper !== undefined) return { kind: 'helper', helper: commonHelper };
  throw new CredentialError('CREDENTIAL_MISSING', `${file} has no entry for ${server}`, {
    hint: `run docker login ${upstream} as the user of this file`,
  });
}

function readEntry(
  entry: Readonly<Record<string, unknown>>,
  file: string,
  upstream: string,
): Credential | undefined {
  const token = textAt(entry, 'identitytoken');
  if (token !== undefined) throw identityTokenError(file, upstream);
  const auth = textAt(entry, 'auth');
  if (auth !== undefined) return decodeAuth(auth, file, upstream);
  const username = textAt(entry, 'username');
  const password = textAt(entry, 'password');
  return username === undefined || password === undefined ? undefined : { username, password };
}

/** Identity tokens are refresh tokens for a registry's own OAuth server, not for its registry API. */
export function identityTokenError(source: string, upstream: string): CredentialError {
  const message = `${source} has an identity token for ${upstream}, which Mica cannot use`;
  const hint = 'log in with a user name and an access token instead';
  return new CredentialError('CREDENTIAL_UNSUPPORTED', message, { hint });
}

/** `auth` is base64 of `username:password`; Docker pads some passwords with zero bytes. */
function decodeAuth(auth: string, file: string, upstream: string): Credential {
  const decoded = decodeBase64(auth);
  const colon = decoded?.indexOf(':') ?? -1;
  if (decoded === undefined || colon < 1) {
    const message = `${file} has an entry for ${upstream} that is not base64 of username:password`;
    throw new CredentialError('CREDENTIAL_INVALID', message, { hint: 'run docker login again' });
  }
  const password = decoded.slice(colon + 1).replaceAll('\u0000', '');
  return { username: decoded.slice(0, colon), password };
}

function decodeBase64(text: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // The caller says where; the text itself is a secret.
    return undefined;
  }
}

/** Older entries are keyed by URLs such as https://ghcr.io/v2/. */
function entryFor(
  auths: Readonly<Record<string, unknown>>,
  server: string,
): Readonly<Record<string, unknown>> {
  if (Object.hasOwn(auths, server)) return asObject(auths[server]);
  const host = hostOf(server);
  const key = Object.keys(auths).find(
    (candidate) => /^https?:\/\//.test(candidate) && hostOf(candidate) === host,
  );
  return key === undefined ? {} : asObject(auths[key]);
}

function hostOf(server: string): string | undefined {
  return server.replace(/^https?:\/\//, '').split('/')[0];
}

/** Parses a JSON object; `source` names it in errors. */
export function parseObject(text: string, source: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, so it is left out, as message and as cause.
    value = undefined;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return asObject(value);
  const hint = 'it must be JSON as Docker writes it';
  throw new CredentialError('CREDENTIAL_INVALID', `${source} is not a JSON object`, { hint });
}

export function textAt(map: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = Object.hasOwn(map, key) ? map[key] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value))
    : {};
}
