// A registry for tests, in this process: serves what it is given as the distribution specification
// says, remembers every request, and fails where it is told to.
// Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md

import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Answer,
  alterAnswer,
  emptyAnswer,
  errorAnswer,
  jsonAnswer,
  rangeAnswer,
  type SentAnswer,
  sendAnswer,
} from './answer.ts';
import { Authorization } from './authorization.ts';
import {
  type Content,
  type Image,
  type MultiImage,
  makeContent,
  makeImage,
  makeMultiImage,
} from './content.ts';
import type { ImageInRepository, LoggedRequest, Registry, RegistryOptions } from './contract.ts';
import { FaultRules, type ServerRole } from './fault.ts';
import { Listener } from './listener.ts';
import { Repositories } from './repositories.ts';

export type { Registry, RegistryOptions } from './contract.ts';

const DEFAULT_ADDRESS = '127.0.0.1';

class RegistryDouble implements Registry {
  readonly requests: LoggedRequest[] = [];
  readonly faults = new FaultRules();
  readonly authorization: Authorization | undefined;
  rateLimit: { limit: number; remaining: number } | undefined;
  readonly #options: RegistryOptions;
  readonly #repositories: Repositories;
  readonly #listeners: Readonly<Record<ServerRole, Listener>>;
  readonly #events = new EventEmitter().setMaxListeners(0);

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.rateLimit = options.rateLimit;
    this.#repositories = new Repositories(options.referrers ?? true, options.pageSize);
    const address = options.address ?? DEFAULT_ADDRESS;
    const cdn = typeof options.cdn === 'object' ? options.cdn.address : address;
    this.#listeners = {
      registry: this.#listener('registry', address, options.port ?? 0),
      token: this.#listener('token', address, 0),
      cdn: this.#listener('cdn', cdn, 0),
    };
    if (options.authorization !== undefined)
      this.authorization = new Authorization(options.authorization, () => this.#realm());
  }

  get url(): string {
    return this.#listeners.registry.url;
  }

  get host(): string {
    return this.#listeners.registry.host;
  }

  get cdnUrl(): string {
    return this.#listeners.cdn.url;
  }

  putImage(options: ImageInRepository): Image {
    const image = makeImage(options);
    this.#putImage(options.repository, image);
    if (options.tag !== undefined) this.tag(options.repository, options.tag, image.manifest.digest);
    return image;
  }

  putMultiImage(options: ImageInRepository, platforms: readonly string[]): MultiImage {
    const multi = makeMultiImage(options, platforms);
    for (const image of multi.images) this.#putImage(options.repository, image);
    this.putManifest(options.repository, multi.index, options.tag);
    return multi;
  }

  putManifest(repository: string, content: Content, tag?: string): Content {
    this.#repositories.get(repository).manifests.set(content.digest, content);
    if (tag !== undefined) this.tag(repository, tag, content.digest);
    return content;
  }

  putBlob(repository: string, content: Content | Uint8Array): Content {
    const blob =
      content instanceof Uint8Array ? makeContent(content, 'application/octet-stream') : content;
    this.#repositories.get(repository).blobs.set(blob.digest, blob);
    return blob;
  }

  tag(repository: string, tag: string, digest: string): void {
    this.#repositories.get(repository).tags.set(tag, digest);
  }

  untag(repository: string, tag: string): void {
    this.#repositories.get(repository).tags.delete(tag);
  }

  remove(repository: string, digest: string): void {
    this.#repositories.get(repository).manifests.delete(digest);
    this.#repositories.get(repository).blobs.delete(digest);
  }

  count(path: string, method?: string): number {
    return this.requests.filter(
      (request) =>
        request.role === 'registry' &&
        request.path.includes(path) &&
        (method === undefined || request.method === method),
    ).length;
  }

  bytesSent(path: string): number {
    return this.requests
      .filter((request) => request.path.includes(path))
      .reduce((sum, request) => sum + request.bytes, 0);
  }

  async waitForRequests(path: string, count = 1): Promise<void> {
    await this.waitUntil(() => this.count(path) >= count);
  }

  async waitUntil(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.#events, 'change');
  }

  async refuse(): Promise<void> {
    await this.#listeners.registry.close();
  }

  async restore(): Promise<void> {
    await this.#listeners.registry.open();
  }

  async open(): Promise<void> {
    await this.#listeners.registry.open();
    if (this.#options.authorization?.tokenServer === 'other') await this.#listeners.token.open();
    if (this.#options.cdn !== undefined && this.#options.cdn !== false)
      await this.#listeners.cdn.open();
  }

  async close(): Promise<void> {
    for (const listener of Object.values(this.#listeners)) await listener.close();
  }

  #putImage(repository: string, image: Image): void {
    for (const blob of [image.config, ...image.layers]) this.putBlob(repository, blob);
    this.putManifest(repository, image.manifest);
  }

  #listener(role: ServerRole, address: string, port: number): Listener {
    return new Listener(
      (request, response) => {
        this.#handle(role, request, response).catch((error: unknown) => {
          response.destroy(error instanceof Error ? error : new Error(String(error)));
        });
      },
      address,
      port,
      this.#options.tls,
    );
  }

  #realm(): string {
    const other = this.#options.authorization?.tokenServer === 'other';
    return `${other ? this.#listeners.token.url : this.url}/token`;
  }

  async #handle(
    role: ServerRole,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { method = 'GET', url: path = '/', headers } = request;
    const logged: LoggedRequest = {
      role,
      method,
      path,
      headers,
      status: 0,
      bytes: 0,
      ended: false,
    };
    this.requests.push(logged);
    this.#events.emit('change');
    response.once('close', () => {
      logged.ended = true;
      this.#events.emit('change');
    });
    const right = await this.#answer(role, request, method, path);
    const fault = this.faults.take(role, method, path);
    const answer = fault === undefined ? right : alterAnswer(right, fault, path);
    logged.status = answer.status;
    await sendAnswer(request, response, answer, fault, this.#counter(logged));
  }

  /** Counts into the log and tells those who wait for it. */
  #counter(logged: LoggedRequest): SentAnswer {
    const events = this.#events;
    return {
      get bytes() {
        return logged.bytes;
      },
      set bytes(value) {
        logged.bytes = value;
        events.emit('change');
      },
    };
  }

  async #answer(
    role: ServerRole,
    request: IncomingMessage,
    method: string,
    path: string,
  ): Promise<Answer> {
    const url = new URL(path, 'http://registry');
    if (role === 'cdn') return this.#cdnAnswer(request, url);
    if (url.pathname === '/token') return await this.#tokenAnswer(request, method, url);
    if (role === 'token') return emptyAnswer(404);
    if (method !== 'GET' && method !== 'HEAD') return errorAnswer(405, 'UNSUPPORTED');
    const answer = this.#registryAnswer(request, url);
    if (this.rateLimit === undefined || !url.pathname.includes('/manifests/')) return answer;
    const { limit, remaining } = this.rateLimit;
    const headers = {
      ...answer.headers,
      'ratelimit-limit': `${limit};w=21600`,
      'ratelimit-remaining': `${remaining};w=21600`,
    };
    return { ...answer, headers };
  }

  async #tokenAnswer(request: IncomingMessage, method: string, url: URL): Promise<Answer> {
    if (this.authorization === undefined) return emptyAnswer(404);
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    return this.authorization.issue(method, url.searchParams, request.headers.authorization, body);
  }

  #registryAnswer(request: IncomingMessage, url: URL): Answer {
    const match = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/(.+)$/.exec(url.pathname);
    const refused = this.authorization?.check(request.headers.authorization, match?.[1]);
    if (refused !== undefined) return refused;
    if (url.pathname === '/v2/') return jsonAnswer(200, {});
    const [, repository = '', kind, last = ''] = match ?? [];
    switch (kind) {
      case 'manifests':
        return this.#repositories.manifest(repository, last);
      case 'blobs':
        return this.#blobAnswer(request, repository, last);
      case 'tags':
        return this.#repositories.tagList(repository, last, url);
      case 'referrers':
        return this.#repositories.referrers(repository, last, url);
      default:
        return errorAnswer(404, 'NAME_UNKNOWN');
    }
  }

  #blobAnswer(request: IncomingMessage, repository: string, digest: string): Answer {
    const blob = this.#repositories.blob(repository, digest);
    if (blob === undefined) return errorAnswer(404, 'BLOB_UNKNOWN');
    if (this.#options.cdn !== undefined && this.#options.cdn !== false)
      return emptyAnswer(307, {
        location: `${this.cdnUrl}/data/${repository}/blobs/${digest}?signature=once`,
      });
    return this.#content(request, blob, { 'docker-content-digest': digest });
  }

  #cdnAnswer(request: IncomingMessage, url: URL): Answer {
    const match = /^\/data\/(.+)\/blobs\/(.+)$/.exec(url.pathname);
    const blob = this.#repositories.blob(match?.[1] ?? '', match?.[2] ?? '');
    return blob === undefined ? emptyAnswer(404) : this.#content(request, blob, {});
  }

  #content(
    request: IncomingMessage,
    blob: Content,
    headers: Readonly<Record<string, string>>,
  ): Answer {
    const range = this.#options.ranges === false ? undefined : request.headers.range;
    return rangeAnswer(blob.bytes, request.method === 'HEAD' ? undefined : range, {
      'content-type': 'application/octet-stream',
      ...(this.#options.ranges === false ? {} : { 'accept-ranges': 'bytes' }),
      ...headers,
    });
  }
}

/** Starts a registry that listens at once. Close it when the test is done. */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const registry = new RegistryDouble(options);
  await registry.open();
  return registry;
}
