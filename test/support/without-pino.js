import { register } from 'node:module';

// Loaded into the service before it starts (`node --import`): a module that it needs is missing.
const hooks = `
  export function resolve(specifier, context, next) {
    if (specifier === 'pino') throw new Error('missing on purpose');
    return next(specifier, context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
