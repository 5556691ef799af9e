// Lets only those in who are in the password file, where one is configured.

import type { MiddlewareHandler } from 'hono';
import { BASIC_CHALLENGE, parseBasic } from '../access/client-credentials.ts';
import { OciError } from '../oci/error.ts';
import type { AppEnvironment } from './request-record.ts';

/** Says whether a name and password are right. */
export interface PasswordCheck {
  check(username: string, password: string): Promise<boolean>;
}

export function authenticate(passwords: PasswordCheck): MiddlewareHandler<AppEnvironment> {
  return async (c, next) => {
    const credential = parseBasic(c.req.header('authorization'));
    const isRight =
      credential !== undefined && (await passwords.check(credential.username, credential.password));
    if (!isRight) {
      throw new OciError('UNAUTHORIZED', 401, 'a name and password are needed', {
        headers: BASIC_CHALLENGE,
      });
    }
    await next();
  };
}
