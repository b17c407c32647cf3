import { missingPackage } from '../../shared/errors/missing-package.js';
import type { Exposition, ExpositionOptions } from './exposition.js';

type Loaded = Pick<typeof import('./exposition.js'), 'Exposition'>;

/**
 * Loads what writes metrics, which stands on a package that an application installs where it wants them.
 * @throws {Error} where that package is missing; the message says how to install it.
 */
export async function loadExposition(
  options: ExpositionOptions,
  load: () => Promise<Loaded> = () => import('./exposition.js'),
): Promise<Exposition> {
  try {
    return new (await load()).Exposition(options);
  } catch (error) {
    const message = missingPackage('HeraldMetricsModule needs', 'prom-client', error);
    throw message === undefined ? error : new Error(message, { cause: error });
  }
}
