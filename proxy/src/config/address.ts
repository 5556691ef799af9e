// Addresses to listen on as written in the configuration: `127.0.0.1:5000`, `5000`, `:5000`, `[::]:5000`.

import ipaddr from 'ipaddr.js';
import type { Address } from './config.ts';
import { ValueError } from './value-error.ts';

/** `5000` and `:5000` mean every IPv4 address: it works also where the kernel has no IPv6. */
const ANY_HOST = '0.0.0.0';

const MAX_PORT = 65_535;

/** Host names per https://www.rfc-editor.org/rfc/rfc1123#section-2.1. */
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
const HOST_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const ONLY_NUMBERS = /^[\d.]+$/;

const ADDRESS = /^(?:(?:\[([^\]]*)\]|([^:[\]]*)):)?(\d{1,5})$/;

const HINT = 'write host:port such as 127.0.0.1:5000, :5000 for every address, or [::1]:5000';

/** Parses an address; throws ValueError. Port 0 lets the system choose. */
export function parseAddress(value: string | number): Address {
  const match = ADDRESS.exec(String(value).trim());
  const port = Number(match?.[3]);
  if (match === null || !(port <= MAX_PORT)) {
    throw new ValueError('invalid-address', value, 'is not an address', HINT);
  }
  const [, bracketed, plain] = match;
  const host = bracketed ?? (plain === '' || plain === undefined ? ANY_HOST : plain);
  const isValid = bracketed === undefined ? isHostName(host) : ipaddr.IPv6.isValid(host);
  if (!isValid) throw new ValueError('invalid-address', value, 'has no valid host', HINT);
  return { host, port };
}

export function formatAddress(address: Address): string {
  return address.host.includes(':')
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;
}

/** Whether it is a host name or an IPv4 address. */
export function isHostName(host: string): boolean {
  if (ONLY_NUMBERS.test(host)) return ipaddr.IPv4.isValidFourPartDecimal(host);
  return HOST_NAME.test(host) && host.length <= 253;
}

/** Whether the host stands for every address of the machine. */
export function isAnyHost(host: string): boolean {
  return host === ANY_HOST || (ipaddr.IPv6.isValid(host) && /^[0:]+$/.test(host));
}

/** Whether only this machine reaches the host. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  return ipaddr.isValid(host) && ipaddr.parse(host).range() === 'loopback';
}

/** Whether two servers cannot listen on both: the same port on hosts that overlap. */
export function addressesCollide(one: Address, other: Address): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  return one.host === other.host || isAnyHost(one.host) || isAnyHost(other.host);
}
