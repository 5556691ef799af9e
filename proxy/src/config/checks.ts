// What must hold between settings. Works on what is written, so that it also says something where
// other values are wrong.

import { addressesCollide, isHostName, parseAddress } from './address.ts';
import { hintAt, type KeyPath } from './problems.ts';
import { isMap, type Settings, valueAt } from './settings.ts';
import { isUpstreamName } from './upstream-url.ts';
import { quoteValue } from './value-error.ts';

export interface Complaint {
  readonly path: KeyPath;
  readonly message: string;
  readonly hint?: string;
}

const HOST = /^(.+?)(?::(\d{1,5}))?$/;

/** Everything that is wrong between the values of complete settings. */
export function checkSettings(settings: Settings): readonly Complaint[] {
  return [
    ...checkAddresses(settings),
    ...checkDefaultUpstream(settings),
    ...checkUpstreams(settings),
    ...checkHosts(settings),
    ...checkReplicas(settings),
  ];
}

function checkAddresses(settings: Settings): readonly Complaint[] {
  const listen = addressAt(settings, 'listen');
  const admin = addressAt(settings, 'admin');
  if (listen === undefined || admin === undefined || !addressesCollide(listen, admin)) return [];
  const hint = 'give it another port';
  return [{ path: ['admin'], message: 'is the same address as listen', hint }];
}

function addressAt(settings: Settings, key: string): ReturnType<typeof parseAddress> | undefined {
  const value = settings[key];
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  try {
    return parseAddress(value);
  } catch {
    // Its own key is already a problem.
    return undefined;
  }
}

function checkDefaultUpstream(settings: Settings): readonly Complaint[] {
  const { defaultUpstream: name, upstreams } = settings;
  if (typeof name !== 'string' || !isMap(upstreams)) return [];
  const names = Object.keys(upstreams);
  if (names.length === 0 || names.includes(name)) return [];
  const message = `${quoteValue(name)} is not one of the upstreams`;
  return [{ path: ['defaultUpstream'], message, hint: hintAt(name, names) }];
}

function checkUpstreams(settings: Settings): readonly Complaint[] {
  const { upstreams } = settings;
  if (!isMap(upstreams)) return [];
  const names = Object.keys(upstreams);
  if (names.length === 0) {
    const hint = 'list at least one, or leave the key out for the built-in list';
    return [{ path: ['upstreams'], message: 'names no upstream', hint }];
  }
  return names.flatMap((name) => [
    ...checkName(name),
    ...checkPair(settings, ['upstreams', name], 'clientCert', 'clientKey'),
    ...checkAuth(settings, ['upstreams', name, 'auth']),
  ]);
}

function checkName(name: string): readonly Complaint[] {
  if (isUpstreamName(name)) return [];
  const message = 'is not the name of a registry';
  const hint = 'write its host in lower case, with a dot or a port, such as ghcr.io or cache:5000';
  return [{ path: ['upstreams', name], message, hint }];
}

function checkPair(
  settings: Settings,
  path: KeyPath,
  one: string,
  other: string,
): readonly Complaint[] {
  const hasOne = valueAt(settings, [...path, one]) !== undefined;
  const hasOther = valueAt(settings, [...path, other]) !== undefined;
  if (hasOne === hasOther) return [];
  const [present, missing] = hasOne ? [one, other] : [other, one];
  return [{ path: [...path, present], message: `needs ${missing} beside it` }];
}

/** At most one way to log in: name and password, name and password file, Docker config, helper. */
function checkAuth(settings: Settings, path: KeyPath): readonly Complaint[] {
  const auth = valueAt(settings, path);
  if (!isMap(auth)) return [];
  const ways = ['password', 'passwordFile', 'dockerConfig', 'helper'].filter((key) => key in auth);
  if (ways.length > 1) {
    const message = `has ${ways.join(' and ')}`;
    return [{ path, message, hint: 'keep one of them' }];
  }
  const [way] = ways;
  if (way === undefined) {
    const hint = 'add username and passwordFile, dockerConfig, or helper';
    return [{ path, message: 'names no way to log in', hint }];
  }
  const takesName = way === 'password' || way === 'passwordFile';
  if (takesName && !('username' in auth)) {
    return [{ path: [...path, way], message: 'needs username beside it' }];
  }
  if (takesName || !('username' in auth)) return [];
  const hint = `leave it out: ${way} brings its own`;
  return [{ path: [...path, 'username'], message: `does not go with ${way}`, hint }];
}

/** A Host header leads to one upstream only. */
function checkHosts(settings: Settings): readonly Complaint[] {
  const { upstreams } = settings;
  const owners = new Map<string, string>();
  return Object.keys(isMap(upstreams) ? upstreams : {}).flatMap((name) => {
    const hosts = valueAt(upstreams, [name, 'hosts']);
    return (Array.isArray(hosts) ? hosts : []).flatMap((host: unknown, index) => {
      if (typeof host !== 'string') return [];
      const path = ['upstreams', name, 'hosts', index];
      const owner = owners.get(host.toLowerCase());
      owners.set(host.toLowerCase(), owner ?? name);
      if (owner !== undefined) return [{ path, ...alreadyMapped(host, owner) }];
      return isHostHeader(host) ? [] : [{ path, ...notHost(host) }];
    });
  });
}

function alreadyMapped(host: string, owner: string): Omit<Complaint, 'path'> {
  const message = `${quoteValue(host)} already chooses ${owner}`;
  return { message, hint: 'give each host to one upstream' };
}

function notHost(host: string): Omit<Complaint, 'path'> {
  const message = `${quoteValue(host)} is not a host`;
  return { message, hint: 'write it as clients send it, such as hub.example or hub.example:5000' };
}

/** Two copies of a layer on one volume are lost together. */
function checkReplicas({ dedup }: Settings): readonly Complaint[] {
  if (valueAt(dedup, ['mode']) !== 'b') return [];
  const written = valueAt(dedup, ['replicas']);
  const replicas = Number(written);
  if (!Number.isInteger(replicas) || replicas <= 1) return [];
  const message = `${replicas} whole copies need as many volumes, and data is on one`;
  return [{ path: ['dedup', 'replicas'], message, hint: 'write 0 or 1' }];
}

function isHostHeader(host: string): boolean {
  const match = HOST.exec(host);
  const port = Number(match?.[2] ?? 1);
  return match?.[1] !== undefined && isHostName(match[1]) && port >= 1 && port <= 65_535;
}
