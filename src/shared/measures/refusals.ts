import { Tally } from './tally.js';

/**
 * Requests that this process has refused, by code. There is one for all, because what refuses a request below the
 * framework belongs to no module.
 */
export const refusals = new Tally<string>();
