import { cargo, go, jdk, maven, type Program, python } from '../../support/programs.js';

/** A client library of another language, and how the program that the guide shows for it is built and run. */
export interface Language {
  /** Its folder, which pins what it needs, and its mark in the guide. */
  readonly name: string;
  /** How the guide's table begins its row. */
  readonly library: string;
  readonly version: string;
  /** The file of its folder that names the library's version. */
  readonly pins: string;
  /** What must be installed. */
  readonly tools: readonly [Program, ...Program[]];
  /** What the program's file is called. */
  readonly file: string;
  /** Commands that fetch and build, one after the other, in a folder with the program and its pins. */
  readonly build: readonly (readonly [string, ...string[]])[];
  /** What runs it, in that folder. */
  readonly run: readonly [string, ...string[]];
  /** Whether it takes a stream for dead, and comes back, after less silence than there is between heartbeats by default. */
  readonly isImpatient?: true;
  /** What becomes of an update's data, for a client that does not hand it on as it is. */
  readonly presents?: (data: string) => string;
}

const JAVA = {
  pins: 'pom.xml',
  tools: [jdk, maven],
  file: 'Follow.java',
  build: [
    ['mvn', '--quiet', '--batch-mode', 'dependency:copy-dependencies', '-DoutputDirectory=jars'],
    ['sha256sum', '--check', '--strict', '--quiet', 'jars.sha256'],
    ['javac', '-Xlint:all', '-Werror', '-classpath', 'jars/*', '-d', 'classes', 'Follow.java'],
  ],
  run: ['java', '-classpath', 'classes:jars/*', 'Follow'],
} as const;

export const LANGUAGES: readonly Language[] = [
  {
    name: 'go',
    library: 'Go **`tmaxmax/go-sse`**',
    version: '0.12.0',
    pins: 'go.mod',
    tools: [go],
    file: 'main.go',
    build: [
      ['go', 'vet', '.'],
      ['go', 'build', '-o', 'follow', '.'],
    ],
    run: ['./follow'],
  },
  {
    name: 'python',
    library: 'Python **`httpx-sse`**',
    version: '0.4.3',
    pins: 'requirements.txt',
    tools: [python],
    file: 'follow.py',
    build: [
      ['python3', '-m', 'venv', '--clear', 'environment'],
      ['environment/bin/pip', 'install', '--quiet', '--require-hashes', '--requirement', 'requirements.txt'],
    ],
    run: ['environment/bin/python', 'follow.py'],
    isImpatient: true,
  },
  {
    name: 'rust',
    library: 'Rust **`eventsource-client`**',
    version: '0.18.0',
    pins: 'Cargo.toml',
    tools: [cargo],
    file: 'main.rs',
    build: [['cargo', 'build', '--quiet', '--locked', '--jobs', '1', '--target-dir', 'target']],
    run: ['target/debug/follow'],
    isImpatient: true,
  },
  { name: 'java', library: 'Java **`okhttp-eventsource`**', version: '4.3.0', ...JAVA, isImpatient: true },
  {
    name: 'spring',
    library: "Java **Spring's `WebClient`**",
    version: '6.2.1',
    ...JAVA,
    presents: (data) => data.replace(/\n{2,}/g, '\n').replace(/^\n|\n$/g, ''),
  },
];
