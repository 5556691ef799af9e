// Which other hosts an upstream may send Mica to: a realm in a challenge or the target of a redirect
// must not be a way to reach hosts inside the network that Mica runs in.

import ipaddr from 'ipaddr.js';
import type { Network } from '../runtime/runtime.ts';

/** `realm`: gets credentials. `redirect`: gets none, and what it sends is checked by digest. */
export type TargetPurpose = 'realm' | 'redirect';

export class RefusedTargetError extends Error {
  override readonly name = 'RefusedTargetError';
  readonly code = 'refused-target';
  readonly host: string;

  constructor(host: string, reason: string) {
    super(`${host}: ${reason}`);
    this.host = host;
  }
}

/** Addresses where clouds give credentials to whoever asks from inside: never a registry's. */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set([
  // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html, also Azure, Google
  '169.254.169.254',
  'fd00:ec2::254',
  // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v3.html
  '169.254.170.2',
  // https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata
  '100.100.100.200',
  // https://learn.microsoft.com/en-us/azure/virtual-network/what-is-ip-address-168-63-129-16
  '168.63.129.16',
  // https://docs.oracle.com/en-us/iaas/Content/Compute/Tasks/gettingmetadata.htm (classic)
  '192.0.0.192',
]);

/** Ranges of sites' own networks. Names as ipaddr.js has them. */
const SITE_RANGES: readonly string[] = ['private', 'uniqueLocal', 'carrierGradeNat'];
const LOCAL_RANGES: ReadonlySet<string> = new Set([...SITE_RANGES, 'loopback', 'linkLocal']);

/** The range an address is in, as ipaddr.js names it; that of the IPv4 address inside, where there is one. */
export function addressRange(address: string): string {
  if (!ipaddr.isValid(address)) return 'invalid';
  const parsed = unwrap(ipaddr.process(address));
  return METADATA_ADDRESSES.has(parsed.toString()) ? 'metadata' : parsed.range();
}

/** NAT64 networks give IPv4 hosts IPv6 addresses. https://www.rfc-editor.org/rfc/rfc6052#section-2.1 */
function unwrap(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  if (address.kind() !== 'ipv6' || address.range() !== 'rfc6052') return address;
  return ipaddr.fromByteArray(address.toByteArray().slice(-4));
}

/**
 * Ranges that an upstream with these addresses may send to. A public one may send to public hosts;
 * one in a site's network also to others in such networks, and one on this machine to this machine.
 */
function allowedRanges(upstreamAddresses: readonly string[]): ReadonlySet<string> {
  const own = upstreamAddresses.map(addressRange).filter((range) => LOCAL_RANGES.has(range));
  return new Set(['unicast', ...own, ...(own.length > 0 ? SITE_RANGES : [])]);
}

/** Guards what one URL of an upstream may send to. */
export class AddressGuard {
  readonly #base: URL;
  readonly #network: Pick<Network, 'lookup'>;

  constructor(base: URL, network: Pick<Network, 'lookup'>) {
    this.#base = base;
    this.#network = network;
  }

  /** The upstream's own host, on whatever port. */
  isOwnHost(target: URL): boolean {
    return target.hostname === this.#base.hostname;
  }

  /** Checks what the URL itself tells: https or the same host. Rejects with RefusedTargetError. */
  async check(target: URL, purpose: TargetPurpose): Promise<void> {
    if (target.protocol !== 'https:' && target.protocol !== 'http:')
      throw new RefusedTargetError(target.hostname, 'not an http or https URL');
    if (target.username !== '' || target.password !== '')
      throw new RefusedTargetError(target.hostname, 'a URL with a user name or password');
    if (this.isOwnHost(target)) return;
    if (target.protocol === 'http:' && !(await this.#mayUsePlainHttp(purpose)))
      throw new RefusedTargetError(target.hostname, 'another host without https');
    const host = hostOf(target);
    if (ipaddr.isValid(host)) await this.resolve(host);
  }

  /** All addresses of another host that may be connected to; rejects with RefusedTargetError when there is none. */
  async resolve(host: string): Promise<readonly string[]> {
    const addresses = ipaddr.isValid(host) ? [host] : await this.#network.lookup(host);
    const allowed = allowedRanges(await this.#ownAddresses());
    const good = addresses.filter((address) => allowed.has(addressRange(address)));
    if (good.length > 0) return good;
    throw new RefusedTargetError(host, 'not a public address');
  }

  /** A registry without TLS in a site's network may keep its blobs on another host without TLS. */
  async #mayUsePlainHttp(purpose: TargetPurpose): Promise<boolean> {
    if (purpose === 'realm' || this.#base.protocol !== 'http:') return false;
    const addresses = await this.#ownAddresses();
    return addresses.length > 0 && addresses.every((one) => LOCAL_RANGES.has(addressRange(one)));
  }

  async #ownAddresses(): Promise<readonly string[]> {
    const host = hostOf(this.#base);
    if (ipaddr.isValid(host)) return [host];
    // An upstream that cannot be resolved counts as public: the stricter rule.
    return await this.#network.lookup(host).catch(() => []);
  }
}

/** The host of a URL without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}
