import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Tools } from '../../src/contracts/tools.js';

/** What the suites that others can run as well are made with here. */
export const TOOLS: Tools = { describe, it, beforeEach, afterEach, expect, fc };
