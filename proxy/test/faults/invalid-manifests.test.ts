// Manifests that hold what they say by digest but are no manifests: refused with 4xx, not stored.

import test from 'ava';
import { errorCode, get, head } from '../http/client.ts';
import { startMirror } from '../http/mirror.ts';
import { makeContent, mediaTypesOf } from '../upstream-double/content.ts';

const mirror = await startMirror();
test.after.always(() => mirror.stop());

const { manifest: IMAGE, index: INDEX, config: CONFIG, layer: LAYER } = mediaTypesOf('oci');
const DIGEST = `sha256:${'a'.repeat(64)}`;

/** An image whose only layer has a size, written as it is. */
function layerOfSize(size: string): string {
  const config = `{"mediaType":"${CONFIG}","digest":"${DIGEST}","size":2}`;
  const layer = `{"mediaType":"${LAYER}","digest":"${DIGEST}","size":${size}}`;
  return `{"schemaVersion":2,"mediaType":"${IMAGE}","config":${config},"layers":[${layer}]}`;
}

const INVALID: Readonly<Record<string, readonly [mediaType: string, text: string]>> = {
  nothing: [IMAGE, ''],
  'no JSON': [IMAGE, 'not json'],
  'JSON that is cut': [IMAGE, layerOfSize('5').slice(0, -20)],
  'a JSON array': [IMAGE, '[]'],
  'a JSON string': [IMAGE, '"manifest"'],
  'JSON null': [INDEX, 'null'],
  'bytes that are no UTF-8': [IMAGE, '{"schemaVersion":2,"x":"\u{10ffff}\ud800"}'.slice(0, 30)],
  'a negative size': [IMAGE, layerOfSize('-1')],
  'a size with a fraction': [IMAGE, layerOfSize('1.5')],
  'a size beyond 2^53': [IMAGE, layerOfSize('1e300')],
  'a size that is text': [IMAGE, layerOfSize('"12"')],
  'a digest that is none': [IMAGE, layerOfSize('5').replaceAll(DIGEST, 'sha256:xyz')],
  'a digest that is a path': [IMAGE, layerOfSize('5').replaceAll(DIGEST, '../../etc/passwd')],
  'layers that are no list': [IMAGE, '{"schemaVersion":2,"layers":{"0":1}}'],
  'an index of numbers': [INDEX, '{"schemaVersion":2,"manifests":[1,2]}'],
  'nesting without end': [IMAGE, '{"a":'.repeat(100_000)],
  'more than 4 MiB': [IMAGE, `{"schemaVersion":2,"layers":[],"x":"${'x'.repeat(4 << 20)}"}`],
};

for (const [number, [title, [mediaType, text]]] of Object.entries(INVALID).entries()) {
  test(`a manifest of ${title} is refused with 4xx and not stored`, async (t) => {
    const repository = `invalid/${number}`;
    const content = makeContent(Buffer.from(text), mediaType);
    mirror.upstream.putManifest(repository, content, 'v1');
    for (const reference of ['v1', content.digest]) {
      const url = mirror.url(`/v2/${repository}/manifests/${reference}`);
      const answer = await get(url);
      t.true(answer.status >= 400 && answer.status < 500, `${reference}: ${answer.status}`);
      t.regex(errorCode(answer), /^(MANIFEST_INVALID|MANIFEST_UNKNOWN|SIZE_INVALID)$/);
      const asked = mirror.upstream.count(`/${repository}/`);
      t.not((await get(url)).status, 200);
      if (reference !== 'v1') t.true(mirror.upstream.count(`/${repository}/`) > asked);
    }
    // HEAD may pass on what the upstream says, but never with success and another length.
    const answer = await head(mirror.url(`/v2/${repository}/manifests/v1`));
    if (answer.status === 200) t.is(answer.headers['content-length'], String(content.bytes.length));
  });
}
