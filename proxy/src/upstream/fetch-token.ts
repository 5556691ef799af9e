// Asks a token server for a token: by POST when there is a credential, else and as a fall-back by GET.
// Source: https://distribution.github.io/distribution/spec/auth/oauth/ and
// https://distribution.github.io/distribution/spec/auth/token/

import type { Credential } from '../access/credential.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { Endpoint, UpstreamResponse } from './dispatcher.ts';
import { discardBody, ResponseBody, readBody } from './response-body.ts';
import { invalidError, type RequestName, requestError, statusError } from './response-error.ts';
import { withinBudget } from './time-budget.ts';
import { parseTokenAnswer, type TokenAnswer, type TokenRequest } from './token-source.ts';
import { BASE_HEADERS } from './user-agent.ts';

/** Largest answer of a token server, in bytes: tokens are a few kilobytes. */
const MAX_ANSWER_SIZE = 1024 * 1024;
/** Half of a request's time, so that the request itself has the other half. */
const BUDGET_MS = 10_000;

/**
 * Answers to POST that mean "not this way": GCR 404, Artifactory 401, others 405 and 501, as noted in
 * https://github.com/containerd/containerd/blob/v2.1.0/core/remotes/docker/authorizer.go
 */
const GET_INSTEAD: ReadonlySet<number> = new Set([401, 404, 405, 501]);

/** A password under this name is a refresh token. https://github.com/docker/docker-credential-helpers#credential-store */
const REFRESH_TOKEN_USERNAME = '<token>';

interface TokenServer {
  readonly upstream: string;
  readonly endpoint: Endpoint;
  readonly clock: Clock;
}

/** Rejects with UpstreamError. */
export async function fetchToken(server: TokenServer, request: TokenRequest): Promise<TokenAnswer> {
  const { host, pathname } = request.realm;
  const name = (method: string): RequestName => ({
    upstream: server.upstream,
    text: `${method} ${host}${pathname}`,
  });
  const { credential } = request.login;
  return await withinBudget(server.clock, BUDGET_MS, undefined, async (signal) => {
    if (credential !== undefined) {
      const response = await post(server, request, credential, signal, name('POST'));
      if (!GET_INSTEAD.has(response.statusCode))
        return await readAnswer(server, response, name('POST'));
      discardBody(response.body);
    }
    return await readAnswer(server, await get(server, request, signal, name('GET')), name('GET'));
  });
}

async function post(
  { endpoint }: TokenServer,
  { realm, service, scope }: TokenRequest,
  credential: Credential,
  signal: AbortSignal,
  name: RequestName,
): Promise<UpstreamResponse> {
  const form = new URLSearchParams({ client_id: 'mica', scope });
  if (service !== undefined) form.set('service', service);
  if (credential.username === REFRESH_TOKEN_USERNAME) {
    form.set('grant_type', 'refresh_token');
    form.set('refresh_token', credential.password);
  } else {
    form.set('grant_type', 'password');
    form.set('username', credential.username);
    form.set('password', credential.password);
  }
  const headers = { ...BASE_HEADERS, 'content-type': 'application/x-www-form-urlencoded' };
  try {
    const parts = { method: 'POST', headers, body: form.toString(), signal } as const;
    return await endpoint.send(realm, 'realm', parts);
  } catch (error) {
    throw requestError(name, error);
  }
}

async function get(
  { endpoint }: TokenServer,
  { realm, service, scope, login }: TokenRequest,
  signal: AbortSignal,
  name: RequestName,
): Promise<UpstreamResponse> {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const one of scope.split(' ')) if (one !== '') url.searchParams.append('scope', one);
  const { credential } = login;
  if (credential !== undefined) url.searchParams.set('account', credential.username);
  const headers = {
    ...BASE_HEADERS,
    ...(credential === undefined ? {} : { authorization: basicAuthorization(credential) }),
  };
  try {
    return await endpoint.send(url, 'realm', { method: 'GET', headers, signal });
  } catch (error) {
    throw requestError(name, error);
  }
}

async function readAnswer(
  { clock }: TokenServer,
  response: UpstreamResponse,
  name: RequestName,
): Promise<TokenAnswer> {
  if (response.statusCode !== 200) {
    discardBody(response.body);
    throw statusError(name, response, clock.now());
  }
  try {
    const bytes = await readBody(new ResponseBody(response.body), MAX_ANSWER_SIZE);
    const answer = parseTokenAnswer(new TextDecoder().decode(bytes));
    if (answer === undefined) throw invalidError(name, 'no token in the answer');
    return answer;
  } catch (error) {
    throw requestError(name, error);
  }
}

/** https://www.rfc-editor.org/rfc/rfc7617#section-2, in UTF-8. */
export function basicAuthorization({ username, password }: Credential): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
