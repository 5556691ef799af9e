// The shape of mica.yaml: which keys there are, what each takes, and what comes of it.

import { z } from 'zod';
import { parseAddress } from './address.ts';
import type { Config, UpstreamConfig } from './config.ts';
import { parseCount } from './count.ts';
import { parseDuration } from './duration.ts';
import type { KeyPath } from './problems.ts';
import type { Settings } from './settings.ts';
import { parseQuota, parseSize } from './size.ts';
import { parseStoreUrl } from './store-url.ts';
import { parseProxyUrl, parseUpstreamUrl } from './upstream-url.ts';
import { ValueError } from './value-error.ts';

/** What is wrong at a path, as zod says it. */
export type SchemaIssue = z.core.$ZodIssue;

const TEXT_OR_NUMBER = z.union([z.string(), z.number()], { error: 'must be text or a number' });

/** Runs a parser of the configuration's own inside zod: a ValueError becomes an issue with a hint. */
function convert<Input, Output>(
  parse: (value: Input) => Output,
  path: (string | number)[] = [],
): (value: Input, context: z.RefinementCtx) => Output {
  return (value, context) => {
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      const params = { hint: error.hint };
      context.addIssue({ code: 'custom', message: error.message, params, path });
      return z.NEVER;
    }
  };
}

const address = TEXT_OR_NUMBER.transform(convert(parseAddress));
const duration = TEXT_OR_NUMBER.transform(convert(parseDuration));
const size = TEXT_OR_NUMBER.transform(convert(parseSize));
const quota = TEXT_OR_NUMBER.transform(convert(parseQuota));
const path = z.string().min(1, 'must not be empty').describe('Path of a file or folder');

/** The environment has only text. */
const trueOrFalse = z
  .union([z.boolean(), z.enum(['true', 'false'])], { error: 'must be true or false' })
  .transform((value) => value === true || value === 'true');

const urls = z
  .union([z.string(), z.array(z.string()).min(1)], { error: 'must be a URL or a list of URLs' })
  .transform((value, context) => {
    if (typeof value === 'string') return [convert(parseUpstreamUrl)(value, context)];
    return value.map((url, index) => convert(parseUpstreamUrl, [index])(url, context));
  })
  .describe('Base URLs, tried in order');

const upstreamAuth = z.strictObject({
  username: z.string().exactOptional(),
  password: z.string().exactOptional(),
  passwordFile: path.exactOptional(),
  dockerConfig: path.exactOptional().describe('Path of a Docker config.json'),
  helper: z
    .string()
    .regex(/^[\w.-]+$/, 'must be the part of the program name after docker-credential-')
    .exactOptional()
    .describe('Credential helper: the NAME of docker-credential-NAME'),
});

const upstream = z.strictObject({
  url: urls,
  auth: upstreamAuth.exactOptional(),
  passThrough: z.boolean().describe("Whether a client's own credentials are passed on"),
  hosts: z.array(z.string()).describe('Host header values that choose this upstream'),
  ca: path.exactOptional().describe('PEM file with further certificate authorities'),
  clientCert: path.exactOptional(),
  clientKey: path.exactOptional(),
  proxy: z.string().transform(convert(parseProxyUrl)).exactOptional(),
  connectTimeout: duration,
  headersTimeout: duration,
  bodyTimeout: duration.describe('Longest pause in a body'),
});

const file = z.strictObject({
  listen: address.describe('The registry API, what clients use'),
  admin: address.describe('Health, metrics, statistics and the web page'),
  data: path,
  quota: quota.describe('Share of the file system, or a size'),
  defaultUpstream: z.string().describe('For requests that name no upstream'),
  upstreams: z
    .record(z.string(), upstream)
    .describe('The closed list: no other registry is ever contacted'),
  tags: z.strictObject({ ttl: duration, negativeTtl: duration, staleIfError: duration }),
  dedup: z.strictObject({
    mode: z.enum(['off', 'b', 's']),
    replicas: TEXT_OR_NUMBER.transform(convert((value) => parseCount(value, 0))),
    rawBudget: quota,
    minLayer: size,
    workers: TEXT_OR_NUMBER.transform(
      convert((value): 'auto' | number => (value === 'auto' ? value : parseCount(value, 1))),
    ),
    predict: trueOrFalse.describe('Whether layers are made before a client asks for them'),
  }),
  access: z.strictObject({
    grantTtl: duration.describe("How long an upstream's yes to a client's credentials holds"),
  }),
  auth: z.strictObject({ htpasswd: path }).exactOptional(),
  tls: z.strictObject({ cert: path, key: path, clientCa: path.exactOptional() }).exactOptional(),
  index: z.strictObject({
    url: z.string().transform(convert((value) => parseStoreUrl(value, 'lmdb:'))),
  }),
  store: z.strictObject({
    url: z.string().transform(convert((value) => parseStoreUrl(value, 'file:'))),
    recheck: duration.describe('After this long a blob is hashed again when it is served'),
  }),
  log: z.strictObject({
    level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']),
    format: z.enum(['json', 'text']),
  }),
});

/** Checks complete settings (defaults merged in, paths absolute) and resolves them. */
export function parseSettings(
  settings: Settings,
): { readonly config: Config } | { readonly issues: readonly SchemaIssue[] } {
  const parsed = file.safeParse(settings);
  return parsed.success ? { config: toConfig(parsed.data) } : { issues: parsed.error.issues };
}

function toConfig(parsed: z.output<typeof file>): Config {
  const { tags, access, store, upstreams, ...rest } = parsed;
  return {
    ...rest,
    upstreams: Object.fromEntries(
      Object.entries(upstreams).map(([name, value]) => [name, toUpstreamConfig(value)]),
    ),
    tags: {
      ttlMs: tags.ttl,
      negativeTtlMs: tags.negativeTtl,
      staleIfErrorMs: tags.staleIfError,
    },
    access: { grantTtlMs: access.grantTtl },
    store: { url: store.url, recheckMs: store.recheck },
  };
}

function toUpstreamConfig(parsed: z.output<typeof upstream>): UpstreamConfig {
  const { url, hosts, connectTimeout, headersTimeout, bodyTimeout, ...rest } = parsed;
  return {
    ...rest,
    urls: url,
    hosts: hosts.map((host) => host.toLowerCase()),
    connectTimeoutMs: connectTimeout,
    headersTimeoutMs: headersTimeout,
    bodyTimeoutMs: bodyTimeout,
  };
}

/** The keys that the map at a path may have; none for what is not a map of fixed keys. */
export function keysAt(keyPath: KeyPath): readonly string[] {
  const map = schemaAt(keyPath);
  return map instanceof z.ZodObject ? Object.keys(map.shape) : [];
}

/** The paths of all single values and of `upstreams`: what an environment variable can set. */
export function valuePaths(from: KeyPath = []): readonly (readonly string[])[] {
  return keysAt(from).flatMap((key) => {
    const inner = valuePaths([...from, key]);
    return inner.length === 0 ? [[key]] : inner.map((rest) => [key, ...rest]);
  });
}

function schemaAt(keyPath: KeyPath): unknown {
  let schema: unknown = file;
  for (const part of keyPath) {
    if (schema instanceof z.ZodObject) schema = schema.shape[part];
    else if (schema instanceof z.ZodRecord) schema = schema.valueType;
    else return undefined;
    if (schema instanceof z.ZodExactOptional) schema = schema.unwrap();
  }
  return schema;
}

/** JSON Schema of mica.yaml, for editors and checks elsewhere. Every key has a default but `url`. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return {
    ...z.toJSONSchema(file, {
      io: 'input',
      override: ({ jsonSchema, path: at }) => {
        const required = jsonSchema.required?.filter((key) => isRequired(at, key));
        if (required === undefined || required.length === 0) delete jsonSchema.required;
        else jsonSchema.required = required;
      },
    }),
    title: 'mica.yaml',
  };
}

/** Whether a key has no default: an upstream's URL, and the files of optional maps. */
function isRequired(at: readonly (string | number)[], key: string): boolean {
  return key === 'url' ? at.includes('upstreams') : ['cert', 'key', 'htpasswd'].includes(key);
}
