/** What a token is presented for. Each role has keys of its own, unless an issuer's key set says otherwise. */
export type Role = 'publisher' | 'subscriber' | 'admin';

export const ROLES: readonly Role[] = ['publisher', 'subscriber', 'admin'];
