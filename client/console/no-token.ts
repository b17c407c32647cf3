import { isInApplication } from '../src/page-places.js';

/** The text for whoever brings no token: an application may know them all the same. */
export const NO_TOKEN = isInApplication ? 'ownSession' : 'anonymous';
