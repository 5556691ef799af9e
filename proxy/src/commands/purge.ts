// `mica purge REF [--json]`: takes an image out of the store.
//
// A running server notices: it asks the index for each manifest before it serves one from memory.

import { formatBytes } from '../admin/page/format-bytes.ts';
import type { Digest } from '../oci/digest.ts';
import { repositoryKey } from '../oci/reference.ts';
import { upstreamNames } from '../routes/choose-upstream.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { listImages, planRemoval } from '../store/evict.ts';
import { readHoldings } from '../store/holdings.ts';
import type { Index } from '../store/index.ts';
import { removeImages } from '../store/remove-images.ts';
import { printJson, withStore } from './open-store.ts';
import {
  formatImageReference,
  type ImageReference,
  parseImageReference,
} from './parse-image-reference.ts';
import { type CommandContext, EXIT_DONE, EXIT_FAILED, type ExitCode } from './terminal.ts';

export interface PurgeOptions {
  readonly json?: boolean;
}

interface Purged {
  /** The name in full. */
  readonly image: string;
  /** Absent when nothing of that name is stored. */
  readonly digest?: Digest;
  readonly tags: number;
  readonly manifests: number;
  readonly blobs: number;
  readonly bytes: number;
  /** Who else needs the manifest, so that only the name went. */
  readonly keptFor?: string;
}

/** Fails when nothing of that name is stored. */
export function purge(
  context: CommandContext,
  name: string,
  options: PurgeOptions,
): Promise<ExitCode> {
  const { terminal } = context;
  return withStore(context, async ({ config, store, index, tier }) => {
    const image = parseImageReference(name, upstreamNames(config));
    const purged = await purgeImage(store, index, image);
    await tier.reclaim();
    if (options.json === true) printJson(terminal, purged);
    else terminal.out(`${describe(purged)}\n`);
    return purged.digest === undefined ? EXIT_FAILED : EXIT_DONE;
  });
}

async function purgeImage(store: BlobStore, index: Index, image: ImageReference): Promise<Purged> {
  const repository = repositoryKey(image.repository);
  const nothing = { image: formatImageReference(image), tags: 0, manifests: 0, blobs: 0, bytes: 0 };
  const digest = await resolveImage(index, image);
  if (digest === undefined) return nothing;
  const tags = await removeTags(index, image, digest);
  const keptFor = await findOtherUse(index, repository, digest);
  if (keptFor !== undefined) {
    if (keptFor.isElsewhere) await leaveRepository(store, index, repository, digest);
    return { ...nothing, digest, tags, keptFor: keptFor.name };
  }
  const holdings = await readHoldings(store, index);
  const plan = planRemoval(holdings, digest);
  const gone = await removeImages(store, index, plan);
  return {
    ...nothing,
    digest,
    tags,
    manifests: plan.manifests.length,
    blobs: gone.length,
    bytes: gone.reduce((sum, blob) => sum + (holdings.blobs.get(blob)?.size ?? 0), 0),
  };
}

/** The digest that the name means, if it is stored in that repository. */
async function resolveImage(index: Index, image: ImageReference): Promise<Digest | undefined> {
  const { repository, reference } = image;
  const key = repositoryKey(repository);
  if (reference.kind === 'tag') return (await index.getTag(key, reference.tag))?.digest;
  const membership = await index.getMembership(key, reference.digest);
  if (membership === undefined) return undefined;
  const record = await index.getManifest(reference.digest);
  return record === undefined ? undefined : reference.digest;
}

/** Removes the tag that was named; of a digest, all its tags in the repository. */
async function removeTags(index: Index, image: ImageReference, digest: Digest): Promise<number> {
  const { repository, reference } = image;
  const key = repositoryKey(repository);
  if (reference.kind === 'tag') return (await index.removeTag(key, reference.tag)) ? 1 : 0;
  let removed = 0;
  for await (const entry of index.listTags(key)) {
    if (entry.digest === digest && (await index.removeTag(key, entry.tag))) removed += 1;
  }
  return removed;
}

/** What else leads to the manifest: a tag, a manifest that names it, or another repository. */
async function findOtherUse(
  index: Index,
  repository: string,
  digest: Digest,
): Promise<{ name: string; isElsewhere: boolean } | undefined> {
  for await (const tag of index.listTags()) {
    if (tag.digest !== digest) continue;
    const isElsewhere = tag.repository !== repository;
    return { name: `${tag.repository}:${tag.tag}`, isElsewhere };
  }
  for await (const manifest of index.listManifests()) {
    const isNamed = manifest.manifests.some((child) => child.digest === digest);
    if (isNamed) return { name: manifest.digest, isElsewhere: false };
  }
  for await (const other of index.listRepositories()) {
    if (other === repository) continue;
    const membership = await index.getMembership(other, digest);
    if (membership !== undefined) return { name: other, isElsewhere: true };
  }
  return undefined;
}

/** Ends the image's membership in one repository; another one keeps it. */
async function leaveRepository(
  store: BlobStore,
  index: Index,
  repository: string,
  digest: Digest,
): Promise<void> {
  const holdings = await readHoldings(store, index);
  const image = listImages(holdings).find((each) => each.digest === digest);
  for (const member of image?.reach ?? [digest]) await index.removeMembership(repository, member);
}

function describe(purged: Purged): string {
  const { image, digest, tags, manifests, blobs, bytes, keptFor } = purged;
  if (digest === undefined) return `${image} is not stored`;
  if (keptFor !== undefined) {
    return `removed ${tags} tags of ${image}; ${digest} stays for ${keptFor}`;
  }
  const what = `${tags} tags, ${manifests} manifests, ${blobs} blobs (${formatBytes(bytes)})`;
  return `removed ${image}: ${what}`;
}
