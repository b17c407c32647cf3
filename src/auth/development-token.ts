import { SignJWT } from 'jose';
import { DETAIL_TYPE } from './token-grants.js';

/** A token that allows `action` on every topic for a day: for keys that were made up for this run of the process. */
export function developmentToken(action: 'publish' | 'subscribe', key: string): Promise<string> {
  return new SignJWT({ authorization_details: [{ type: DETAIL_TYPE, actions: [action], topics: [{ match: '*' }] }] })
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
    .setIssuedAt()
    .setExpirationTime('1d')
    .sign(new TextEncoder().encode(key));
}
