import { countKeys } from '../../auth/tokens/key-set.js';
import type { Config } from '../../config/config.js';
import type { IssuerConfig } from '../../config/keys/issuers.js';
import { isWeak, type VerificationKey } from '../../config/keys/keys.js';
import { messageOf } from '../../shared/errors/message-of.js';
import { ROLES } from '../../shared/role.js';
import { type Finding, finding } from './finding.js';

/** Looks at the keys, and reads each key set once. */
export async function keyFindings({ auth }: Config): Promise<Finding[]> {
  if (auth.madeUp.length > 0) {
    return [
      finding(
        'keys',
        'warn',
        `no ${auth.madeUp.join(' and no ')} key is set: the service makes one up at each start`,
        'set HERALD_PUBLISHER_KEY and HERALD_SUBSCRIBER_KEY, or a key set, before anybody else uses this hub',
      ),
    ];
  }
  const found = await Promise.all(auth.issuers.map(ofIssuer));
  return found.flat();
}

async function ofIssuer({ issuer, keys, keySet }: IssuerConfig): Promise<Finding[]> {
  const what = `keys of ${JSON.stringify(issuer)}`;
  const fixed = ROLES.flatMap((role) => (keys[role] ? [ofKey(`${what}, ${role}`, keys[role])] : []));
  return keySet ? [...fixed, await ofKeySet(what, keySet)] : fixed;
}

function ofKey(what: string, key: VerificationKey): Finding {
  const kind = key.key.type === 'secret' ? `a secret of ${key.key.symmetricKeySize ?? 0} bytes` : 'a public key';
  const seen = `${kind} for ${key.algorithm}`;
  return isWeak(key)
    ? finding(what, 'warn', `${seen}, which is too short`, 'take a longer one as soon as no client of 0.x needs it')
    : finding(what, 'ok', seen);
}

async function ofKeySet(what: string, keySet: NonNullable<IssuerConfig['keySet']>): Promise<Finding> {
  const source = keySet.uri === undefined ? 'file' : 'address';
  try {
    const count = await countKeys(keySet);
    if (count > 0) return finding(`${what}, key set`, 'ok', `the ${source} gives ${count} public key(s)`);
    return finding(`${what}, key set`, 'fail', `the ${source} gives no public key`, 'publish the public keys there');
  } catch (error) {
    return finding(
      `${what}, key set`,
      'fail',
      `the ${source} can't be read: ${messageOf(error)}`,
      'see that this machine reaches it, without a redirect, and that it holds a JSON Web Key Set',
    );
  }
}
