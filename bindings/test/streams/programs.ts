// The compressors that are built here: one Go program with many encoders, a Java one, and a
// Python package.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE_FOLDER, keyOf, makeOnce, SOURCES_FOLDER } from './cache.ts';
import { findProgram, runProgram } from './program.ts';

const GO_FOLDER = join(SOURCES_FOLDER, 'go');
const GO_SOURCES = ['go.mod', 'main.go', 'standard.go', 'klauspost.go', 'pgzip.go', 'zstd.go'];
const JAVA_SOURCE = join(SOURCES_FOLDER, 'java', 'Compress.java');
const PROGRAMS_FOLDER = join(CACHE_FOLDER, 'programs');

/** The last Go whose compress/flate is its own; the next one took over klauspost's. */
const OLD_GO = 'go1.26.8';
const NEW_GO = 'go1.27.4';

/** One build of the Go program in `go/`. */
export interface GoProgram {
  readonly name: string;
  /** A toolchain is a module too: the Go that is there fetches the one that is named. */
  readonly toolchain: string;
  /** Build tag: which encoder. */
  readonly tag: 'standard' | 'klauspost' | 'pgzip' | 'zstd';
  /** File of `go/modules/` that says the encoder's version. */
  readonly module?: string;
}

/**
 * Versions whose streams differ somewhere, and the last of lines that images were made with.
 * 1.20.4 changed when blocks share a Huffman table; Go 1.27 has it as it was before.
 */
const KLAUSPOST_VERSIONS = [
  '1.20.4',
  '1.20.2',
  '1.18.4',
  '1.17.11',
  '1.16.7',
  '1.15.15',
  '1.13.6',
  '1.11.13',
];

const PGZIP_MODULES = [
  'pgzip-1.3.0-klauspost-1.20.4',
  'pgzip-1.2.6-klauspost-1.20.4',
  'pgzip-1.2.6-klauspost-1.13.6',
  'pgzip-1.2.6-klauspost-1.11.13',
];

export const GO_PROGRAMS: readonly GoProgram[] = [
  { name: 'go-1.26', toolchain: OLD_GO, tag: 'standard' },
  { name: 'go-1.27', toolchain: NEW_GO, tag: 'standard' },
  ...KLAUSPOST_VERSIONS.map((version) => `klauspost-${version}`).map(
    (name): GoProgram => ({ name, toolchain: OLD_GO, tag: 'klauspost', module: name }),
  ),
  ...PGZIP_MODULES.map(
    (name): GoProgram => ({ name, toolchain: OLD_GO, tag: 'pgzip', module: name }),
  ),
  {
    ...{ name: 'klauspost-zstd-1.20.4', toolchain: OLD_GO },
    ...{ tag: 'zstd', module: 'klauspost-1.20.4' },
  },
];

/** Path of a build of the Go program, whether it is there or not. */
export function goProgramFile(name: string): string {
  const program = GO_PROGRAMS.find((one) => one.name === name);
  if (program === undefined) throw new Error(`no Go program ${name}`);
  const sources = [...GO_SOURCES.map((file) => join(GO_FOLDER, file)), ...moduleFiles(program)];
  const key = keyOf([program.toolchain, ...sources.map((file) => readFileSync(file))]);
  return join(PROGRAMS_FOLDER, `${name}-${key}`);
}

function moduleFiles(program: GoProgram): readonly string[] {
  if (program.module === undefined) return [];
  const file = join(GO_FOLDER, 'modules', program.module);
  return [`${file}.mod`, `${file}.sum`];
}

/** Folder with the Java program's class, whether it is there or not. */
export function javaFolder(): string {
  return join(PROGRAMS_FOLDER, `java-${keyOf([readFileSync(JAVA_SOURCE)])}`);
}

/** The Python package with libzstd 1.5.7. */
const ZSTANDARD = 'zstandard==0.25.0';

/** Folder with that package, whether it is there or not. */
export function zstandardFolder(): string {
  return join(PROGRAMS_FOLDER, `zstandard-${keyOf([ZSTANDARD])}`);
}

/** Builds what is not there; gives what could not be built, as lines for a reader. */
export async function buildPrograms(): Promise<readonly string[]> {
  const problems: string[] = [];
  const builds = [
    ...GO_PROGRAMS.map((program) => ({ name: program.name, build: () => buildGo(program) })),
    { name: 'java', build: buildJava },
    { name: 'zstandard', build: installZstandard },
  ];
  // One after the other: each build of Go uses all cores.
  for (const { name, build } of builds) {
    try {
      await build();
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message.trim() : String(error)}`);
    }
  }
  return problems;
}

async function buildGo(program: GoProgram): Promise<void> {
  await makeOnce(goProgramFile(program.name), async (part) => {
    const module = moduleFiles(program).slice(0, 1);
    const modfile = module.map((file) => `-modfile=${file}`);
    const flags = ['-trimpath', '-buildvcs=false', '-mod=readonly', '-tags', program.tag];
    await runProgram(['go', 'build', ...flags, ...modfile, '-o', part, '.'], {
      folder: GO_FOLDER,
      environment: { GOTOOLCHAIN: program.toolchain, GOWORK: 'off', GOFLAGS: '' },
    });
  });
}

async function buildJava(): Promise<void> {
  if (findProgram('java') === undefined) throw new Error('java is not installed');
  await makeOnce(javaFolder(), async (part) => {
    await runProgram(['javac', '-d', part, JAVA_SOURCE]);
  });
}

async function installZstandard(): Promise<void> {
  await makeOnce(zstandardFolder(), async (part) => {
    await runProgram(['python3', '-m', 'pip', 'install', '-q', '--target', part, ZSTANDARD]);
  });
}

export function isBuilt(path: string): boolean {
  return existsSync(path);
}
