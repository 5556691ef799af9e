// What the images of the corpus are made of: bench/corpus/images.yaml, checked, and the key that tells
// whether an image that is there already was made of the same.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import type { CorpusTool } from './corpus-file.ts';

/** The Dockerfiles, what they copy, and the list of images. */
export const sourceFolder: string = fileURLToPath(new URL('../../../corpus', import.meta.url));

/** What mmdebstrap makes. */
export interface Root {
  readonly suite: string;
  /** SOURCE_DATE_EPOCH: seconds since 1970. */
  readonly epoch: number;
  /** Debian's updates and security fixes too. */
  readonly updates: boolean;
  readonly include: readonly string[];
  /** The mirror may be of an earlier day: an index that has run out is taken too. */
  readonly frozen?: boolean | undefined;
}

interface ImageNames {
  readonly family: string;
  readonly tag: string;
  readonly tool: CorpusTool;
  readonly isSmall: boolean;
  /** Of all that the image is made of, images below it included. */
  readonly key: string;
}

/** Made by a Dockerfile. */
export interface BuiltImage extends ImageNames {
  readonly kind: 'built';
  readonly tool: 'dockerd' | 'buildah';
  readonly file: string;
  readonly from?: ImageRecipe;
  readonly root?: Root;
  /** Of the Dockerfile, by their names in the list. */
  readonly args: Readonly<Record<string, string>>;
}

/** Another image as `docker save` gives it, or its files as one layer; pushed by crane. */
export interface CopiedImage extends ImageNames {
  readonly kind: 'saved' | 'flat';
  readonly tool: 'crane';
  readonly from: ImageRecipe;
}

export type ImageRecipe = BuiltImage | CopiedImage;

/** `family:tag`. */
export function imageName({ family, tag }: ImageRecipe): string {
  return `${family}:${tag}`;
}

const rootSchema = z.strictObject({
  suite: z.string(),
  epoch: z.int(),
  updates: z.boolean().default(false),
  include: z.array(z.string()).default([]),
  frozen: z.boolean().optional(),
});

const nameSchema = z.string().regex(/^[a-z0-9-]+:[a-z0-9.-]+$/);

const imageSchema = z.strictObject({
  id: nameSchema,
  tool: z.enum(['dockerd', 'buildah', 'crane']),
  small: z.boolean().default(false),
  file: z.string().optional(),
  from: nameSchema.optional(),
  root: z.string().optional(),
  saved: nameSchema.optional(),
  flat: nameSchema.optional(),
  tools: z.string().optional(),
  packages: z.string().optional(),
  pip: z.string().optional(),
  npm: z.string().optional(),
  node: z.string().optional(),
  before: z.string().optional(),
  version: z.string().optional(),
});

const listSchema = z.strictObject({
  roots: z.record(z.string(), rootSchema),
  images: z.array(imageSchema),
});

type ImageEntry = z.infer<typeof imageSchema>;

/** All images, each after those that it is made of. */
export async function loadRecipes(): Promise<readonly ImageRecipe[]> {
  const list = listSchema.parse(parse(await readFile(join(sourceFolder, 'images.yaml'), 'utf8')));
  const context = await hashFolder(join(sourceFolder, 'context'));
  const images = new Map<string, ImageRecipe>();
  const find = (id: string, by: string): ImageRecipe => {
    const image = images.get(id);
    if (image === undefined) {
      throw new Error(`images.yaml: ${by} needs ${id}, which is not above it`);
    }
    return image;
  };
  for (const entry of list.images) {
    const root = entry.root === undefined ? undefined : list.roots[entry.root];
    if (entry.root !== undefined && root === undefined) {
      throw new Error(`images.yaml: ${entry.id} needs the root ${entry.root}, which there is not`);
    }
    if (images.has(entry.id)) {
      throw new Error(`images.yaml: ${entry.id} is there twice`);
    }
    images.set(entry.id, resolveImage(entry, root, context, find));
  }
  return [...images.values()];
}

function resolveImage(
  entry: ImageEntry,
  root: Root | undefined,
  context: string,
  find: (id: string, by: string) => ImageRecipe,
): ImageRecipe {
  const [family = '', tag = ''] = entry.id.split(':');
  const names = { family, tag, isSmall: entry.small };
  const copied = entry.saved ?? entry.flat;
  if (copied !== undefined) {
    const kind = entry.flat === undefined ? 'saved' : 'flat';
    const from = find(copied, entry.id);
    return { ...names, kind, tool: 'crane', from, key: hash(kind, from.key) };
  }
  if (entry.file === undefined || entry.tool === 'crane') {
    throw new Error(`images.yaml: ${entry.id} needs a Dockerfile, and dockerd or buildah`);
  }
  const from = entry.from === undefined ? undefined : find(entry.from, entry.id);
  const args = chooseArguments(entry);
  const dockerfile = readFileSync(dockerfilePath(entry.file), 'utf8');
  const made = JSON.stringify([entry.tool, root, args]);
  return {
    ...names,
    kind: 'built',
    tool: entry.tool,
    file: entry.file,
    args,
    ...(from === undefined ? {} : { from }),
    ...(root === undefined ? {} : { root }),
    key: hash(made, dockerfile, context, from?.key ?? ''),
  };
}

export function dockerfilePath(name: string): string {
  return join(sourceFolder, `${name}.Dockerfile`);
}

function chooseArguments(entry: ImageEntry): Readonly<Record<string, string>> {
  const { tools, packages, pip, npm, node, before, version } = entry;
  const named = { tools, packages, pip, npm, node, before, version };
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

async function hashFolder(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return hash(...files.toSorted().map((file) => readFileSync(file, 'utf8')));
}

function hash(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
