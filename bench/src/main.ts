// The command line of the benchmarks.
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { findCoreTools } from './core/tools.ts';
import { findCorpusTools } from './corpus/tools.ts';
import { type Bench, makeFolder, type Outcome } from './lib/bench.ts';
import { cleanUpAtExit, createCleanup } from './lib/cleanup.ts';
import { describeMachine, renderMachine } from './lib/machine.ts';
import { isReached, renderAims, renderMeasurements } from './lib/table.ts';
import { findDistribution } from './peers/distribution.ts';
import { findMica } from './peers/mica.ts';
import { findNginx } from './peers/nginx.ts';
import { runCold } from './scenarios/cold.ts';
import { runCore } from './scenarios/core.ts';
import { runCorpus } from './scenarios/corpus.ts';
import { runHerd } from './scenarios/herd.ts';
import { runHot } from './scenarios/hot.ts';
import { runStore } from './scenarios/store.ts';
import { findStorePeers } from './store/store-peers.ts';
import { isStoreRow, type StoreRow, storeRows } from './store/store-rows.ts';

interface CommonOptions {
  readonly json?: boolean;
  readonly quick?: boolean;
}

interface LinkOptions extends CommonOptions {
  readonly rate: number;
  readonly delay: number;
}

const usageExitCode = 2;

const epilogue = `
Peers (registry, nginx) are searched in MICA_INSTALL_PEERS, .cache/peers and PATH;
\`node proxy/dist/test/peers/install.js\` installs them. One that is missing is left out.
Exit code: 0 measured (also when an aim falls short), 1 an answer was wrong or something failed, 2 usage.
bench/README.md says what each number means.`;

function parsePositive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) {
    throw new InvalidArgumentError('not a number above 0');
  }
  return value;
}

function parseRows(text: string): readonly StoreRow[] {
  const rows = text.split(',');
  const known = rows.filter(isStoreRow);
  if (known.length < rows.length) {
    throw new InvalidArgumentError(`rows are ${storeRows.join(', ')}`);
  }
  return known;
}

/** Versions of what is measured, null for what is not there. */
type Versions = Readonly<Record<string, string | null>>;

function listPeers(): Versions {
  return {
    mica: findMica().version,
    distribution: findDistribution()?.version ?? null,
    nginx: findNginx()?.version ?? null,
  };
}

function report(outcome: Outcome, peers: Versions, isJson: boolean): void {
  const machine = describeMachine();
  const { results, aims, wrong, tables } = outcome;
  if (isJson) {
    const judged = aims.map((aim) => ({ ...aim, reached: isReached(aim) ?? null }));
    console.log(JSON.stringify({ machine, peers, results, aims: judged, wrong }, null, 2));
    return;
  }
  const found = Object.entries(peers).map(
    ([name, version]) => `${name} ${version ?? '(not found)'}`,
  );
  console.log([renderMachine(machine), found.join(', ')].join('\n'));
  for (const table of tables) {
    console.log(`\n${renderMeasurements(table)}`);
  }
  if (aims.length > 0) {
    console.log(`\n${renderAims(aims)}`);
  }
  console.log(wrong.length === 0 ? '\nAll answers were right.' : '\nWrong answers:');
  for (const problem of wrong) {
    console.log(`  ${problem}`);
  }
}

async function measure(
  options: CommonOptions,
  run: (bench: Bench) => Promise<Outcome>,
  findPeers: () => Versions = listPeers,
): Promise<void> {
  const cleanup = createCleanup();
  cleanUpAtExit(cleanup);
  const peers = findPeers();
  for (const [name, version] of Object.entries(peers)) {
    if (version === null) {
      console.error(`${name} is not installed, so nothing is compared with it`);
    }
  }
  const bench: Bench = {
    folder: makeFolder(cleanup),
    cleanup,
    isQuick: options.quick ?? false,
    say: (text) => console.error(text),
  };
  // Servers that still ran after a failure would keep this process from ending.
  const outcome = await run(bench).finally(cleanup.run);
  report(outcome, peers, options.json ?? false);
  process.exitCode = outcome.wrong.length === 0 ? 0 : 1;
}

function addCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--json', 'print the figures as JSON instead of tables')
    .option('--quick', 'one short round: shows that all works, measures little');
}

function addLinkCommand(program: Command, name: string, description: string): Command {
  return addCommand(program, name, `${description} Needs root, ip and python3.`)
    .option('--rate <Mbit/s>', 'rate of the link, each way', parsePositive, 100)
    .option('--delay <ms>', 'delay of the link, each way', parsePositive, 20);
}

function createProgram(): Command {
  const program = new Command('bench')
    .description('Measures Mica on this machine, beside others that do the same.')
    .addHelpText('after', epilogue)
    .exitOverride();
  addCommand(program, 'hot', 'Blobs of 1 and 64 MiB and a manifest, cached, 16 connections.')
    .option(
      '--rounds <n>',
      'rounds of each server and each target (default: 3, quick 1)',
      parsePositive,
    )
    .option('--seconds <n>', 'length of a round (default: 5, quick 1)', parsePositive)
    .option('--profile <folder>', 'let Node write a processor profile of Mica there')
    .action(async (options: HotFlags) => {
      const { quick = false, rounds, seconds, profile } = options;
      await measure(options, (bench) =>
        runHot(bench, {
          rounds: rounds ?? (quick ? 1 : 3),
          secondsPerRound: seconds ?? (quick ? 1 : 5),
          ...(profile === undefined ? {} : { profileFolder: profile }),
        }),
      );
    });
  addLinkCommand(program, 'cold', 'One client pulls an image through a slow link.')
    .option('--rounds <n>', 'pulls each way (default: 5, quick 1)', parsePositive)
    .action(async (options: ColdFlags) => {
      const { quick = false, rounds, rate, delay } = options;
      await measure(options, (bench) =>
        runCold(bench, {
          rounds: rounds ?? (quick ? 1 : 5),
          delayMs: delay,
          megabitsPerSecond: rate,
        }),
      );
    });
  addLinkCommand(program, 'herd', 'Many clients at once on a cold blob; many slow readers.')
    .option('--clients <n>', 'clients at once on the cold blob', parsePositive, 32)
    .option('--readers <n>', 'slow readers of a blob of 1 GiB', parsePositive, 200)
    .action(async (options: HerdFlags) => {
      const { rate, delay, clients, readers } = options;
      await measure(options, (bench) =>
        runHerd(bench, { clients, readers, delayMs: delay, megabitsPerSecond: rate }),
      );
    });
  addCommand(program, 'core', 'Layers taken apart and made again: exactness, size, speed, memory.')
    .option('--small', 'samples of 4 MB instead of whole layers')
    .option('--matrix', 'all layers by all compressors')
    .option('--rounds <n>', 'rounds of each measurement (default: 3, quick 1)', parsePositive)
    .action(async (options: CoreFlags) => {
      const { quick = false, small = false, matrix = false, rounds } = options;
      const coreOptions = {
        rounds: rounds ?? (quick ? 1 : 3),
        isSmall: small || quick,
        isMatrix: matrix,
      };
      await measure(options, (bench) => runCore(bench, coreOptions), findCoreTools);
    });
  program
    .command('corpus')
    .description('Builds the images that storage is measured with, and measures their shape.')
    .argument('<folder>', 'where they are kept; an earlier build there is gone on with')
    .option('--json', 'print the figures as JSON instead of tables')
    .option('--small', 'a few images of two families')
    .option('--shape', 'build nothing: measure the corpus that is there')
    .action(async (folder: string, options: CorpusFlags) => {
      const { small = false, shape = false } = options;
      const corpusOptions = { folder, isSmall: small, isShapeOnly: shape };
      await measure(options, (bench) => runCorpus(bench, corpusOptions), findCorpusTools);
    });
  addStoreCommand(program);
  return program;
}

interface CorpusFlags extends CommonOptions {
  readonly small?: boolean;
  readonly shape?: boolean;
}

function addStoreCommand(program: Command): void {
  addCommand(program, 'store', 'Real images in the store: size, speed, and what clients wait for.')
    .requiredOption('--corpus <folder>', 'images, as `bench -- corpus` builds them')
    .option('--only <row,...>', `some of ${storeRows.join(', ')}`, parseRows, storeRows)
    .option('--rounds <n>', 'rounds of each measurement (default: 3, quick 1)', parsePositive)
    .option('--trace <folder>', "replay these requests: JSON as IBM's registry traces have it")
    .option('--sessions <n>', 'sessions of the replay (default: 200, quick 30)', parsePositive)
    .action(async (options: StoreFlags) => {
      const { quick = false, corpus, only, trace } = options;
      const storeOptions = {
        ...{ corpus, rows: only, rounds: options.rounds ?? (quick ? 1 : 3) },
        sessions: options.sessions ?? (quick ? 30 : 200),
        ...(trace === undefined ? {} : { trace }),
      };
      await measure(options, (bench) => runStore(bench, storeOptions), findStorePeers);
    });
}

interface StoreFlags extends CommonOptions {
  readonly corpus: string;
  readonly only: readonly StoreRow[];
  readonly rounds?: number;
  readonly trace?: string;
  readonly sessions?: number;
}

interface CoreFlags extends CommonOptions {
  readonly small?: boolean;
  readonly matrix?: boolean;
  readonly rounds?: number;
}

interface HotFlags extends CommonOptions {
  readonly rounds?: number;
  readonly seconds?: number;
  readonly profile?: string;
}

interface ColdFlags extends LinkOptions {
  readonly rounds?: number;
}

interface HerdFlags extends LinkOptions {
  readonly clients: number;
  readonly readers: number;
}

try {
  await createProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : usageExitCode;
  } else {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
