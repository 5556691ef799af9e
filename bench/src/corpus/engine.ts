// What builds images by Dockerfiles and pushes them: dockerd, or buildah.
import type { BuiltImage, ImageRecipe } from './recipes.ts';

export interface BuildStep {
  readonly image: BuiltImage;
  /** Build context: all that the Dockerfile copies. */
  readonly context: string;
  readonly log: string;
}

export interface Engine {
  /** Builds the image and pushes it. */
  readonly build: (step: BuildStep) => Promise<void>;
  /** Writes the image as `docker save` does. Only dockerd can. */
  readonly save?: (image: ImageRecipe, file: string, log: string) => Promise<void>;
  /** Forgets an image that no other is made of any more. */
  readonly drop: (image: ImageRecipe, log: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** The same in every run, unlike the registry's port: a name for `FROM`. */
export function localName({ family, tag }: ImageRecipe): string {
  return `localhost/bench/${family}:${tag}`;
}

/** Name of an image in the registry at `host`. */
export function remoteName(host: string, { family, tag }: ImageRecipe): string {
  return `${host}/${repositoryOf(family)}:${tag}`;
}

export function repositoryOf(family: string): string {
  return `bench/${family}`;
}

/** Arguments of a build, as dockerd's client and buildah both take them. */
export function buildArguments(image: BuiltImage, epoch: number): readonly string[] {
  const given = Object.entries(image.args).map(([name, value]) => [name.toUpperCase(), value]);
  const from = image.from === undefined ? [] : [['FROM', localName(image.from)]];
  const all = [...given, ...from, ['FAMILY', image.family], ['SOURCE_DATE_EPOCH', `${epoch}`]];
  return all.flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
}

/** 2023-11-14T22:13:20Z: the time that files get where a tool lets one choose it. */
export const buildEpoch = 1_700_000_000;

/** Runs one after the other what is given to it: two pulls of one image would meet. */
export function oneAtATime(): (work: () => Promise<void>) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    // The failure is the caller's; the next one in line still runs.
    last = next.catch(() => undefined);
    return next;
  };
}
