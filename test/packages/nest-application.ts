import { exampleIn, compiled, freePort } from '../support/examples.js';
import { Herald } from '../support/herald.js';
import type { Environment, Project } from './project.js';

/** What Nest may run on. */
export const FRAMEWORKS = ['Fastify', 'Express'] as const;

export type Framework = (typeof FRAMEWORKS)[number];

/**
 * Writes the application of the README of `herald-nest` into a project, with a journal of one's choice, grants for all, and a
 * stream of its own.
 */
export async function writeApplication(project: Project, framework: Framework): Promise<void> {
  const text = (await exampleIn('packages/herald-nest.md', 'main.ts'))
    .replace(
      'auth: { anonymous: true },',
      "auth: { anonymous: true }, grantsResolver: Everything, hub: { journal: { url: process.env['JOURNAL'] ?? 'memory:' } },",
    )
    .replace(
      "@Controller('books')",
      `class Everything extends GrantsResolver {
         resolve() { return Promise.resolve(UNLIMITED); }
       }
       @Controller('books')`,
    )
    .replace('{ HeraldModule,', '{ GrantsResolver, HeraldModule, ManagedSse, UNLIMITED,')
    .replace(
      '  @Post()',
      "  @Sse('ticks')\n  @ManagedSse()\n  ticks() { return concat(of({ data: 'tick' }), NEVER); }\n\n  @Post()",
    )
    .replaceAll('FastifyAdapter', `${framework}Adapter`)
    .replace('platform-fastify', `platform-${framework.toLowerCase()}`)
    .replace('import { Body,', "import { concat, NEVER, of } from 'rxjs';\nimport { Sse, Body,");
  const program = `${text}console.log('the application listens');\n`;
  await project.write({ 'main.ts': program, 'main.mjs': await compiled(program) });
}

/** Starts it, and resolves once it listens. */
export async function startApplication(project: Project, env: Environment = {}): Promise<Herald> {
  const port = await freePort();
  const application = Herald.spawn({ command: [process.execPath, 'main.mjs'], cwd: project.path, port, env });
  application.url = `http://127.0.0.1:${port}`;
  try {
    await application.waitForLog(/^the application listens$/m);
  } catch (error) {
    await application[Symbol.asyncDispose]();
    throw error;
  }
  return application;
}
