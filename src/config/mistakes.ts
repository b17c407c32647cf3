import { createSecureContext } from 'node:tls';
import type { ReadFile } from './environment.js';
import { baseMistakes } from './fields/public-url.js';
import { redisMistakes } from './journal-variables.js';
import { productionMistakes } from './production.js';

/** What is to be mended of settings that are right by themselves and wrong together. */
export function mistakesIn(given: Readonly<Record<string, string>>, readFile: ReadFile): string[] {
  return [
    ...productionMistakes(given),
    ...legacyMistakes(given),
    ...internalMistakes(given),
    ...tlsMistakes(given, readFile),
    ...redisMistakes(given, readFile),
    ...baseMistakes(given),
  ];
}

/** Only the dialect's own clients have reason to keep a short secret. */
function legacyMistakes(given: Readonly<Record<string, string>>): string[] {
  if (given['HERALD_WEAK_SECRETS'] !== 'true' || given['HERALD_LEGACY'] === 'true') return [];
  return ['HERALD_WEAK_SECRETS needs HERALD_LEGACY=true: only hubs that are moved from Mercure 0.x have reason for it'];
}

function internalMistakes(given: Readonly<Record<string, string>>): string[] {
  if (given['HERALD_ADMIN_INTERNAL'] !== 'true' || given['HERALD_INTERNAL_LISTEN']) return [];
  return ['HERALD_ADMIN_INTERNAL needs HERALD_INTERNAL_LISTEN: otherwise administration would answer nowhere'];
}

function tlsMistakes(given: Readonly<Record<string, string>>, readFile: ReadFile): string[] {
  const certFile = given['HERALD_TLS_CERT_FILE'];
  const keyFile = given['HERALD_TLS_KEY_FILE'];
  if (!certFile && !keyFile) return [];
  if (!certFile || !keyFile) return ['HERALD_TLS_CERT_FILE and HERALD_TLS_KEY_FILE go together: set both or neither'];
  try {
    createSecureContext({ cert: readFile(certFile), key: readFile(keyFile) });
    return [];
  } catch {
    return [
      "HERALD_TLS_CERT_FILE and HERALD_TLS_KEY_FILE must be readable PEM files, and the key the certificate's own",
    ];
  }
}
