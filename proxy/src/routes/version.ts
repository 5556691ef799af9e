// `GET /v2/`: says that this is a registry, without asking anybody.

import { distributionHeaders } from '../middleware/distribution-headers.ts';

const BODY = '{}';

export function answerVersion(): Response {
  return new Response(BODY, {
    headers: {
      ...distributionHeaders({ kind: 'version' }),
      'Content-Type': 'application/json',
      'Content-Length': String(BODY.length),
    },
  });
}
