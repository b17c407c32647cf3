import { expect, it } from '@jest/globals';
import { HeraldModule } from '../../src/herald/index.js';
import { MODULE_HOME } from '../support/packages.js';
import { TeamApp } from '../support/team-app.js';

it('the suites of the module test the one that they are to test', async () => {
  const started = TeamApp.start('Fastify', { imports: [HeraldModule.forRoot({ hubUrl: 'nowhere:' })] });
  const error = await started.then(
    () => undefined,
    (reason: unknown) => reason as Error,
  );
  expect(error?.message).toContain('hubUrl must be');
  expect(error?.stack).toContain(MODULE_HOME);
});
