// Base URLs and names of upstreams as written in the configuration.

import { isHostName } from './address.ts';
import { ValueError } from './value-error.ts';

const URL_HINT = 'write an http or https URL such as https://registry-1.docker.io';
const PROXY_HINT = 'write an http or https URL such as http://proxy.example:3128';

const NAME = /^([^:]+)(?::(\d{1,5}))?$/;

/** Parses the base URL of an upstream, without a slash at its end; throws ValueError. */
export function parseUpstreamUrl(value: string): string {
  const url = parseHttpUrl(value, URL_HINT);
  if (url.username !== '' || url.password !== '') {
    const hint = 'give them under auth: { username, passwordFile }';
    throw new ValueError('invalid-url', value, 'has a user name or password', hint);
  }
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(value)) {
    throw new ValueError('invalid-url', value, 'has a query or fragment', 'leave it out');
  }
  const base = url.href.replace(/\/+$/, '');
  if (base.endsWith('/v2')) {
    throw new ValueError('invalid-url', value, 'ends in /v2', 'leave /v2 out; it is added');
  }
  return base;
}

/** Parses a proxy's URL, which may hold a user name and password; throws ValueError. */
export function parseProxyUrl(value: string): string {
  return parseHttpUrl(value, PROXY_HINT).href;
}

/** A URL without the user name and password in it, fit to be shown. */
export function redactUrl(text: string): string {
  const url = new URL(text);
  if (url.username === '' && url.password === '') return text;
  url.username = '***';
  url.password = '';
  return url.href;
}

/**
 * Whether the name can be told from the first component of a repository's name:
 * a host with a dot or a port, or `localhost`, as in
 * https://github.com/distribution/reference/blob/v0.6.0/normalize.go#L143.
 */
export function isUpstreamName(name: string): boolean {
  const match = NAME.exec(name);
  if (match?.[1] === undefined || name !== name.toLowerCase()) return false;
  const hasPort = match[2] !== undefined;
  if (hasPort && !(Number(match[2]) >= 1 && Number(match[2]) <= 65_535)) return false;
  return isHostName(match[1]) && (hasPort || match[1].includes('.') || match[1] === 'localhost');
}

function parseHttpUrl(value: string, hint: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ValueError('invalid-url', value, 'is not an http or https URL', hint);
  }
  return url;
}
