/**
 * What to tell where a package is not installed, which is taken only by who wants what stands on it. Undefined where the error
 * is about something else.
 * @param who how the sentence begins, such as `This journal needs`.
 */
export function missingPackage(who: string, needed: string, error: unknown): string | undefined {
  if (!isAbout(needed, error)) return undefined;
  return `${who} the package "${needed}", which is not installed: install it with "npm install ${needed}".`;
}

/** Node tells which package it was in the words of its message alone. */
function isAbout(needed: string, error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes(`'${needed}'`);
}
