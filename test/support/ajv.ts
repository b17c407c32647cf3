import ajv from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

/** CommonJS modules, whose types say otherwise of their default exports than Node does. */
export const Ajv2020 = ajv.default;
export const addFormats = formats.default;
export type { ValidateFunction } from 'ajv/dist/2020.js';
