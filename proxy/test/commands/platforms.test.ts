import test from 'ava';
import {
  formatPlatform,
  machinePlatform,
  parsePlatform,
  selectPlatforms,
} from '../../src/commands/platforms.ts';
import { UsageError } from '../../src/commands/usage-error.ts';
import type { Descriptor } from '../../src/oci/manifest.ts';
import { OCI_IMAGE } from '../../src/oci/media-type.ts';
import { bytesOf, sha256 } from '../store/store-images.ts';

function image(platform: string | undefined): Descriptor {
  const digest = sha256(bytesOf(platform ?? 'none', 32));
  const descriptor = { mediaType: OCI_IMAGE, digest, size: 1 };
  return platform === undefined ? descriptor : { ...descriptor, platform: parsePlatform(platform) };
}

test('selectPlatforms() takes every variant when none is named, else only that one', (t) => {
  const images = ['linux/arm64/v8', 'linux/arm/v6', 'linux/arm/v7', 'linux/amd64', undefined];
  const select = (...wanted: string[]) =>
    selectPlatforms(images.map(image), wanted.map(parsePlatform)).map(({ platform }) =>
      platform === undefined ? '' : formatPlatform(platform),
    );
  t.deepEqual(select('linux/arm64'), ['linux/arm64/v8']);
  t.deepEqual(select('linux/arm'), ['linux/arm/v6', 'linux/arm/v7']);
  t.deepEqual(select('linux/arm/v7', 'linux/amd64'), ['linux/arm/v7', 'linux/amd64']);
  t.deepEqual(select('windows/amd64'), []);
});

test('machinePlatform() says what the kernel calls the machine in the words of images', async (t) => {
  const onMachine = async (machine: string) =>
    formatPlatform(await machinePlatform({ run: () => Promise.resolve(`${machine}\n`) }));
  t.is(await onMachine('x86_64'), 'linux/amd64');
  t.is(await onMachine('armv7l'), 'linux/arm/v7');
  await t.throwsAsync(() => onMachine('vax'), { instanceOf: UsageError, message: /vax/ });
});

for (const text of ['', 'arm64', 'linux/', 'linux/arm/v7/x', 'Linux/amd64']) {
  test(`parsePlatform() refuses ${JSON.stringify(text)}`, (t) => {
    t.throws(() => parsePlatform(text), { instanceOf: UsageError });
  });
}
