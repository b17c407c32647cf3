import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 begin every object in its young generation. Otherwise it guesses for each place in the code, from what lived long in
 * the first seconds, which objects belong in the old one at once. Where that is wrong for objects of a request, whatever
 * they refer to outlives collections too: a publication cost 49 µs in place of 41, and what brought that about was a change
 * that had nothing to do with it.
 */
export function beginYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
