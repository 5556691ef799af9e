// Exchanges with an upstream: logs in, follows redirects, tries again, and moves on to its other URLs.

import type { UpstreamConfig } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { RepositoryName } from '../oci/reference.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { Authorizer } from './authorizer.ts';
import { CircuitBreaker, type CircuitOutcome } from './circuit-breaker.ts';
import { Endpoint, type TlsMaterial, type UpstreamResponse } from './dispatcher.ts';
import { fetchToken } from './fetch-token.ts';
import { followRedirects, type SentRequest } from './follow-redirects.ts';
import type { LoginSource } from './login-source.ts';
import { parseRateLimit, RateLimit } from './rate-limit.ts';
import { discardBody } from './response-body.ts';
import { headerOf, type RequestName, requestError, statusError } from './response-error.ts';
import { isWorthAnotherUrl, retryDelayMs, TOTAL_BUDGET_MS } from './retry-policy.ts';
import { unlessAborted, withinBudget } from './time-budget.ts';
import { type Login, TokenSource } from './token-source.ts';
import { UpstreamError, type UpstreamRequestOptions, type UpstreamStatus } from './upstream.ts';
import { BASE_HEADERS } from './user-agent.ts';

export interface ClientRequest {
  readonly method: 'GET' | 'HEAD';
  readonly repository: RepositoryName;
  readonly kind: 'manifests' | 'blobs' | 'tags' | 'referrers';
  /** What comes after the kind in the path. */
  readonly last: string;
  readonly query?: URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  /** Position of the URL to begin with; counted around. */
  readonly firstUrl?: number;
}

/** An answer with status 200 or 206. */
export interface ClientResponse extends Pick<UpstreamResponse, 'headers' | 'body'> {
  readonly status: 200 | 206;
  readonly name: RequestName;
}

/** Takes from a response what is wanted. What it throws counts as the request's failure. */
export type ReadResponse<Value> = (response: ClientResponse) => Value | Promise<Value>;

export interface UpstreamClientOptions {
  readonly name: string;
  readonly config: UpstreamConfig;
  readonly tls: TlsMaterial;
  readonly runtime: Runtime;
  readonly logins: LoginSource;
  readonly log: Log | undefined;
  readonly random: () => number;
}

interface Door {
  readonly endpoint: Endpoint;
  readonly authorizer: Authorizer;
}

/** One exchange on its way. */
interface Exchange<Value> {
  readonly request: ClientRequest;
  readonly name: RequestName;
  readonly login: Login;
  readonly read: ReadResponse<Value>;
  /** Of who asked. */
  readonly signal: AbortSignal | undefined;
}

export class UpstreamClient {
  readonly #options: UpstreamClientOptions;
  readonly #doors: readonly Door[];
  readonly #circuit: CircuitBreaker;
  readonly #rateLimit: RateLimit;
  #requests = 0;
  #failures = 0;
  #bytesReceived = 0;

  constructor(options: UpstreamClientOptions) {
    const { name, config, tls, runtime } = options;
    this.#options = options;
    this.#circuit = new CircuitBreaker(runtime.clock);
    this.#rateLimit = new RateLimit(runtime.clock);
    this.#doors = config.urls.map((url) => {
      const endpoint = new Endpoint(url, config, tls, runtime);
      const server = { upstream: name, endpoint, clock: runtime.clock };
      const tokens = new TokenSource(runtime.clock, (request) => fetchToken(server, request));
      return { endpoint, authorizer: new Authorizer(name, tokens) };
    });
  }

  get status(): UpstreamStatus {
    const rateLimit = this.#rateLimit.status;
    return {
      name: this.#options.name,
      circuit: this.#circuit.state,
      requests: this.#requests,
      failures: this.#failures,
      bytesReceived: this.#bytesReceived,
      ...(rateLimit === undefined ? {} : { rateLimit }),
    };
  }

  noteBytes(length: number): void {
    this.#bytesReceived += length;
  }

  noteFailure(): void {
    this.#failures += 1;
  }

  async close(): Promise<void> {
    await Promise.all(this.#doors.map(({ endpoint }) => endpoint.close()));
  }

  /** Makes a request and reads its answer. Rejects with UpstreamError. */
  async run<Value>(
    request: ClientRequest,
    options: UpstreamRequestOptions,
    read: ReadResponse<Value>,
  ): Promise<Value> {
    const { name: upstream, logins } = this.#options;
    const { method, repository, kind, last } = request;
    const name = { upstream, text: `${method} /v2/${repository}/${kind}/${last}` };
    const login = await logins.choose(options.credential);
    this.#admit(request, name, login);
    let outcome: CircuitOutcome = 'unknown';
    try {
      const value = await this.#tryUrls({ request, name, login, read, signal: options.signal });
      outcome = 'answered';
      return value;
    } catch (error) {
      const failure = requestError(name, error);
      if (options.signal?.aborted !== true) outcome = outcomeOf(failure);
      if (failure.kind === 'rate-limited')
        this.#rateLimit.hold(login.fingerprint, failure.retryAfterSeconds ?? 0);
      throw failure;
    } finally {
      this.#leave(outcome);
    }
  }

  /** Throws when it makes no sense to ask now. What it lets pass must `leave`. */
  #admit({ method, kind }: ClientRequest, name: RequestName, login: Login): void {
    const isPull = method === 'GET' && kind === 'manifests';
    const heldSeconds = isPull ? this.#rateLimit.heldSeconds(login.fingerprint) : 0;
    if (heldSeconds > 0) throw refusal('rate-limited', name, heldSeconds);
    const openSeconds = this.#circuit.enter();
    if (openSeconds > 0) throw refusal('unavailable', name, openSeconds);
  }

  #leave(outcome: CircuitOutcome): void {
    const before = this.#circuit.state;
    this.#circuit.leave(outcome);
    const circuit = this.#circuit.state;
    if (circuit === before) return;
    this.#options.log?.warn({ upstream: this.#options.name, circuit }, 'the circuit changed');
  }

  /** Each URL has its share of the time, so that one that is silent leaves some to the others. */
  async #tryUrls<Value>(exchange: Exchange<Value>): Promise<Value> {
    const { request, name, signal: outer } = exchange;
    const first = request.firstUrl ?? 0;
    const shareMs = TOTAL_BUDGET_MS / this.#doors.length;
    let failure = new UpstreamError(name.upstream, 'transport', 'there is no URL to ask');
    for (let position = 0; position < this.#doors.length; position += 1) {
      const door = this.#doors[(first + position) % this.#doors.length];
      if (door === undefined) break;
      try {
        return await withinBudget(this.#options.runtime.clock, shareMs, outer, (signal) =>
          this.#tryUrl(door, exchange, signal),
        );
      } catch (error) {
        failure = requestError(name, error);
        if (outer?.aborted === true || !isWorthAnotherUrl(failure)) break;
      }
    }
    throw failure;
  }

  async #tryUrl<Value>(door: Door, exchange: Exchange<Value>, signal: AbortSignal): Promise<Value> {
    const { runtime, random, log } = this.#options;
    for (let retry = 0; ; retry += 1) {
      try {
        return await this.#exchange(door, exchange, signal);
      } catch (error) {
        const failure = requestError(exchange.name, error);
        if (exchange.signal?.aborted !== true && isFailure(failure)) this.#failures += 1;
        const delayMs = retryDelayMs(failure, retry, random);
        if (signal.aborted || delayMs === undefined) throw failure;
        log?.debug({ upstream: this.#options.name, retry, delayMs, err: failure }, 'trying again');
        await runtime.clock.sleep(delayMs, signal);
      }
    }
  }

  async #exchange<Value>(
    { endpoint, authorizer }: Door,
    exchange: Exchange<Value>,
    signal: AbortSignal,
  ): Promise<Value> {
    const { request, login, name } = exchange;
    const { repository } = request;
    const sent = this.#sentRequest(endpoint, exchange, signal);
    const recalled = await unlessAborted(signal, authorizer.recall(repository, login));
    let answer = await followRedirects(endpoint, sent, recalled);
    if (answer.response.statusCode === 401 && !answer.isElsewhere) {
      discardBody(answer.response.body);
      const challenge = answer.response.headers['www-authenticate'];
      const authorization = await unlessAborted(
        signal,
        authorizer.answer(repository, login, challenge, recalled),
      );
      answer = await followRedirects(endpoint, sent, authorization);
    }
    const { statusCode: status, headers, body } = answer.response;
    const limit = headerOf(headers, 'ratelimit-limit');
    this.#rateLimit.note(parseRateLimit(limit, headerOf(headers, 'ratelimit-remaining')));
    if (request.method === 'HEAD') discardBody(body);
    try {
      if (status !== 200 && status !== 206)
        throw this.#statusError(exchange, answer.response, answer.isElsewhere);
      return await exchange.read({ status, headers, body, name });
    } catch (error) {
      discardBody(body);
      throw error;
    }
  }

  #sentRequest(
    endpoint: Endpoint,
    { request, name }: ExchangeParts,
    signal: AbortSignal,
  ): SentRequest {
    const { method, repository, kind, last, query, headers } = request;
    const url = new URL(endpoint.base);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/v2/${repository}/${kind}/${last}`;
    url.search = query?.toString() ?? '';
    return {
      url,
      name,
      parts: { method, headers: { ...BASE_HEADERS, ...headers }, signal },
      onSent: () => {
        this.#requests += 1;
      },
    };
  }

  /** A blob store that refuses a signed URL says nothing about what the client may see. */
  #statusError(
    { request, name }: ExchangeParts,
    response: UpstreamResponse,
    isElsewhere: boolean,
  ): UpstreamError {
    const failure = statusError(name, response, this.#options.runtime.clock.now());
    const isRefusal = failure.kind === 'unauthorized' || failure.kind === 'denied';
    if (!isElsewhere || request.kind !== 'blobs' || !isRefusal) return failure;
    const { status } = failure;
    const text = `${name.text}: the blob store answered with status ${status}`;
    return new UpstreamError(name.upstream, 'unavailable', text, { status });
  }
}

type ExchangeParts = Pick<Exchange<unknown>, 'request' | 'name'>;

function isFailure({ kind, status }: UpstreamError): boolean {
  return kind === 'transport' || (kind === 'unavailable' && (status ?? 500) >= 500);
}

function outcomeOf(failure: UpstreamError): CircuitOutcome {
  return isFailure(failure) ? 'failed' : 'answered';
}

function refusal(
  kind: 'rate-limited' | 'unavailable',
  { upstream, text }: RequestName,
  retryAfterSeconds: number,
): UpstreamError {
  const reason =
    kind === 'unavailable'
      ? 'not asked, the circuit is open'
      : 'not asked, the rate limit is reached';
  return new UpstreamError(upstream, kind, `${text}: ${reason}`, { retryAfterSeconds });
}
