import { expect, it } from '@jest/globals';
import { send } from '../support/event-stream.js';
import { startHerald } from '../support/herald.js';

/** What two proxies have written, the nearer one last, behind what the client wrote itself. */
const FORWARDED = '192.0.2.1, 192.0.2.2, 192.0.2.3';

/** `HERALD_TRUST_PROXY`, and the address that then counts as the client's. */
it.each([
  ['false', '127.0.0.1'],
  ['0', '127.0.0.1'],
  ['1', '192.0.2.3'],
  ['2', '192.0.2.2'],
  ['127.0.0.1', '192.0.2.3'],
  ['127.0.0.0/8, 192.0.2.3', '192.0.2.2'],
  ['10.0.0.0/8', '127.0.0.1'],
  // All of it is believed, also what the client wrote.
  ['true', '192.0.2.1'],
])('HERALD_TRUST_PROXY=%s takes %s for the address of the client', async (setting, address) => {
  await using herald = await startHerald({ env: { HERALD_TRUST_PROXY: setting } });
  (await send(`${herald.url}/nowhere`, { headers: { 'x-forwarded-for': FORWARDED } })).resume();
  await herald.waitForLog(/"msg":"request"/);
  expect(herald.logLines().find(({ msg }) => msg === 'request')).toMatchObject({ address });
});
