// Loaded into the service before it starts (`node --import`): does at the test's word what no code should do.
process.on('message', (/** @type {string} */ trouble) => {
  if (trouble === 'reject') void Promise.reject(new Error('rejected on purpose'));
  if (trouble === 'reject with nothing') void Promise.reject();
  if (trouble === 'throw') setImmediate(() => throwOnPurpose());
  if (trouble === 'warn') process.emitWarning('warned on purpose');
  // oxlint-disable-next-line no-console -- that is the point
  if (trouble === 'print') console.error('printed on purpose');
});
// The channel must not be a reason to stay alive.
process.channel?.unref();

function throwOnPurpose() {
  throw new Error('thrown on purpose');
}
