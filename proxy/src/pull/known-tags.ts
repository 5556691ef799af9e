// The tags that are kept of a repository, as a tag list: for when the upstream cannot be asked.
// Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags

import type { Index } from '../store/index.ts';
import type { ReceivedList } from '../upstream/upstream.ts';
import type { Question } from './question.ts';

/** The page that the query asks for; undefined when no tag is known that everybody may see. */
export async function listKnownTags(
  index: Index,
  question: Question,
  query: URLSearchParams,
): Promise<ReceivedList | undefined> {
  const known: string[] = [];
  for await (const { tag, withCredentials } of index.listTags(question.key)) {
    if (!withCredentials) known.push(tag);
  }
  if (known.length === 0) return undefined;
  const last = query.get('last');
  const rest = last === null ? known : known.filter((tag) => tag > last);
  const count = query.get('n');
  const tags = count === null ? rest : rest.slice(0, Number(count));
  const bytes = new TextEncoder().encode(JSON.stringify({ name: question.repository.name, tags }));
  const page = { bytes, mediaType: 'application/json' };
  const end = tags.at(-1);
  if (count === null || end === undefined || tags.length === rest.length) return page;
  return { ...page, next: new URLSearchParams({ n: count, last: end }).toString() };
}
