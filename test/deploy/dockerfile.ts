import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import dockerignore from '@balena/dockerignore';
import { type Copy, DockerfileParser, type Env, type From, type Instruction } from 'dockerfile-ast';

const run = promisify(execFile);

/** Milliseconds that a step may take. */
const PATIENCE = 300_000;

/** A CommonJS module, whose types say otherwise of its default export than Node does. */
const ignore = dockerignore as unknown as typeof dockerignore.default;

/** Copies what a builder would be sent of a folder: what its `.dockerignore` lets through. */
export async function copyContext(from: string, to: string): Promise<void> {
  const text = await readFile(join(from, '.dockerignore'), 'utf8');
  // A folder that is left out is not looked into, so nothing in it may be let through after all.
  if (/^!.*\//m.test(text)) throw new Error('an exception in .dockerignore lies within a folder');
  const rules = ignore().add(text);
  await cp(from, to, { recursive: true, filter: (path) => path === from || !rules.ignores(relative(from, path)) });
}

/** One stage of a Dockerfile, built in a folder that stands for the root of its files. */
export class Stage {
  readonly environment: Record<string, string> = {};
  readonly labels: string[] = [];
  command: readonly string[] = [];
  healthcheck: readonly string[] = [];
  stopSignal = '';
  user = '';
  private workdir = '/';

  constructor(
    readonly root: string,
    private readonly context: string,
    private readonly stages: ReadonlyMap<string, Stage>,
  ) {}

  /** The folder that commands are run in. */
  get folder(): string {
    return this.inside(this.workdir);
  }

  /** A path of the image as one of this machine. */
  inside(path: string): string {
    return join(this.root, resolve(this.workdir, path));
  }

  /** @throws where a step fails, or is one that is not understood here. */
  async take(step: Instruction): Promise<void> {
    const text = (step.getRawArgumentsContent() ?? '').replaceAll(/\\\n/g, ' ').trim();
    switch (step.getKeyword()) {
      case 'WORKDIR':
        this.workdir = resolve(this.workdir, text);
        return void (await mkdir(this.folder, { recursive: true }));
      case 'COPY':
        return this.copy(step as Copy);
      case 'RUN':
        if (text.startsWith('--') || text.startsWith('[')) throw new Error(`RUN is not understood: ${text}`);
        return void (await run('/bin/sh', ['-e', '-c', text], {
          cwd: this.folder,
          env: { ...ownEnvironment(), ...this.environment },
          timeout: PATIENCE,
          maxBuffer: 64 * 1024 ** 2,
        }));
      case 'ENV':
        for (const property of (step as Env).getProperties()) {
          this.environment[property.getName()] = property.getUnescapedValue() ?? '';
        }
        return;
      default:
        this.describe(step, text);
    }
  }

  /** What is said of the image, and not done while it is built. */
  private describe(step: Instruction, text: string): void {
    switch (step.getKeyword()) {
      case 'LABEL':
        return void this.labels.push(text);
      case 'USER':
        this.user = text;
        return;
      case 'EXPOSE':
        return;
      case 'STOPSIGNAL':
        this.stopSignal = text;
        return;
      case 'HEALTHCHECK':
        this.healthcheck = JSON.parse(/CMD\s+(\[.*\])$/.exec(text)?.[1] ?? '') as string[];
        return;
      case 'CMD':
        this.command = JSON.parse(text) as string[];
        return;
      default:
        throw new Error(`${step.getKeyword()} is not understood`);
    }
  }

  private async copy(step: Copy): Promise<void> {
    const flags = step.getFlags().map((flag) => flag.getName());
    if (flags.some((name) => name !== 'from' && name !== 'chown'))
      throw new Error(`COPY is not understood: ${flags.join()}`);
    const from = step
      .getFlags()
      .find((flag) => flag.getName() === 'from')
      ?.getValue();
    const source = from ? this.stages.get(from)?.root : this.context;
    if (source === undefined) throw new Error(`there is no stage ${from}`);
    const paths = step.getArguments().map((argument) => argument.getValue());
    const to = paths.pop() ?? '';
    const found = (await Promise.all(paths.map((path) => matching(source, path)))).flat();
    if (found.length > 1 && !to.endsWith('/')) throw new Error(`${to} must end with a slash`);
    for (const path of found) {
      const isFolder = (await stat(path)).isDirectory();
      const target = to.endsWith('/') && !isFolder ? join(this.inside(to), basename(path)) : this.inside(to);
      await cp(path, target, { recursive: true, verbatimSymlinks: true });
    }
  }
}

/** Builds all stages, each in an empty folder of its own below `folder`, and gives the last one. */
export async function build(dockerfile: string, context: string, folder: string): Promise<Stage> {
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const step of DockerfileParser.parse(dockerfile).getInstructions()) {
    if (step.getKeyword() === 'FROM') {
      const from = step as From;
      if (!from.getImage()?.startsWith('node:')) throw new Error(`FROM is not understood: ${from.getImage()}`);
      const root = join(folder, String(stages.size));
      await mkdir(root);
      stage = new Stage(root, context, stages);
      stages.set(from.getBuildStage() ?? String(stages.size), stage);
    } else {
      if (!stage) throw new Error(`${step.getKeyword()} comes before FROM`);
      await stage.take(step);
    }
  }
  if (!stage) throw new Error('there is no stage');
  return stage;
}

async function matching(root: string, path: string): Promise<string[]> {
  if (!path.includes('*')) return [join(root, path)];
  const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`);
  const found = (await readdir(root)).filter((name) => pattern.test(name));
  if (found.length === 0) throw new Error(`nothing has the name ${path}`);
  return found.map((name) => join(root, name));
}

/** What an empty machine would have, the way to the registry, and what npm has fetched before. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) =>
    /^(?:HOME|LANG|.*_proxy|npm_config_(?:registry|userconfig|cafile))$/i.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    // Without the programs of the checkout, which npm puts before the others.
    PATH: (process.env['PATH'] ?? '')
      .split(':')
      .filter((path) => !path.includes('node_modules'))
      .join(':'),
    npm_config_cache: process.env['npm_config_cache'] ?? join(homedir(), '.npm'),
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  };
}
