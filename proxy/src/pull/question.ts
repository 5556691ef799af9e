// One client's question to one repository of one upstream.

import type { ClientCredential, Viewer } from '../access/credential.ts';
import { credentialFor } from '../access/visibility.ts';
import { OciError } from '../oci/error.ts';
import { type Repository, repositoryKey } from '../oci/reference.ts';
import type { Upstream } from '../upstream/upstream.ts';

export interface Question {
  readonly repository: Repository;
  /** The repository as the index's key. */
  readonly key: string;
  readonly upstream: Upstream;
  /** Whose name the upstream is asked in; absent when in Mica's own. */
  readonly credential: ClientCredential | undefined;
}

/** Throws NAME_UNKNOWN when there is no such upstream. */
export function makeQuestion(
  upstreams: ReadonlyMap<string, Upstream>,
  repository: Repository,
  viewer: Viewer,
): Question {
  const upstream = upstreams.get(repository.upstream);
  if (upstream === undefined) {
    throw new OciError('NAME_UNKNOWN', 404, `no upstream is named ${repository.upstream}`);
  }
  const credential = credentialFor(upstream, viewer);
  return { repository, key: repositoryKey(repository), upstream, credential };
}

/** A key for work whose result is the same for all who ask with the same credential. */
export function questionKey(question: Question, ...parts: readonly string[]): string {
  return [question.key, question.credential?.fingerprint ?? '', ...parts].join('\n');
}
