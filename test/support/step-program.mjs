// Stands in for the optimizer in tests of whatever runs steps: a program that obeys the LMI
// contract and does what its settings say.
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const { BURNISH_STEP_FILE, BURNISH_PROGRESS_FILE, BURNISH_EXIT_FILE } = process.env;
// Without a step file it is a container's program, and its settings are in its environment.
const { environment, technique } =
  BURNISH_STEP_FILE === undefined
    ? { environment: process.env }
    : JSON.parse(readFileSync(BURNISH_STEP_FILE, 'utf8'));
const input = process.env.SM_NEO_INPUT_MODEL_DIR;
const output = process.env.SM_NEO_COMPILED_MODEL_DIR;
const act = environment.OPTION_ACT ?? 'succeed';

/** What acts that go on do when they are asked to end. */
const ON_TERM = {
  'wait-for-term': () => {
    console.log('terminated politely');
    process.exit(143);
  },
  'save-then-go-on': () => {
    save();
    process.exit(143);
  },
  'ignore-term': () => console.log('ignored'),
  'beat-with-child': () => console.log('ignored'),
};
if (ON_TERM[act] !== undefined) process.on('SIGTERM', ON_TERM[act]);

// Whoever reads this can rely on the handler.
console.log(`${new Date().toISOString()} acting: ${act}`);
noteProgress({ time: Date.now(), phase: 'quantizing', tensorsDone: 1, tensorsTotal: 2 });

function noteProgress(event) {
  if (BURNISH_PROGRESS_FILE === undefined) return;
  appendFileSync(BURNISH_PROGRESS_FILE, `${JSON.stringify(event)}\n`);
}

function succeed() {
  cpSync(input, output, { recursive: true });
  const trace = join(output, 'trace.json');
  const before = existsSync(trace) ? JSON.parse(readFileSync(trace, 'utf8')) : [];
  const seen = Object.keys(process.env).sort();
  const threads = process.env.BURNISH_THREADS;
  writeFileSync(trace, JSON.stringify([...before, { technique, environment, seen, threads }]));
  if (environment.OPTION_REPORT === 'false') return;
  writeFileSync(join(output, 'optimization-report.json'), JSON.stringify({ steps: before.length }));
}

/** Leaves a model of what is finished, and what another attempt can go on from. */
function save() {
  cpSync(input, output, { recursive: true });
  writeFileSync(join(output, 'optimization-report.json'), '{"complete":false}');
  const own = join(process.env.BURNISH_RESUME_DIR, 'own');
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, 'finished.jsonl'), '{"format":1}\n{"kind":"tensor"}\n');
}

process.on('exit', (code) => {
  if (BURNISH_EXIT_FILE !== undefined) writeFileSync(BURNISH_EXIT_FILE, String(code));
});

const keepAlive = () => setInterval(() => {}, 1000);

switch (act) {
  case 'succeed':
    succeed();
    break;
  case 'succeed-late':
    setTimeout(succeed, Number(environment.OPTION_DELAY_MS));
    break;
  case 'fail':
    writeFileSync(
      process.env.SM_NEO_COMPILATION_ERROR_FILE,
      JSON.stringify({ error: 'the tensor x is broken' }),
    );
    process.exit(1);
    break;
  case 'fail-silently':
    process.exit(3);
    break;
  case 'be-killed':
    process.kill(process.pid, 'SIGKILL');
    break;
  case 'wait-for-term':
  case 'ignore-term':
    keepAlive();
    break;
  case 'save-then-go-on':
    if (existsSync(join(process.env.BURNISH_RESUME_DIR, 'own'))) succeed();
    else keepAlive();
    break;
  case 'go-on': {
    // Counts its attempts in what outlives them, and leaves the count without copying it.
    const count = join(process.env.BURNISH_RESUME_DIR, 'attempts');
    appendFileSync(count, '.');
    linkSync(count, join(output, 'attempts'));
    break;
  }
  case 'succeed-when-told': {
    // Goes on whether or not anyone is there to see it, until a file is there.
    const beat = setInterval(() => {
      noteProgress({ phase: 'quantizing' });
      if (!existsSync(environment.OPTION_GO_FILE)) return;
      clearInterval(beat);
      succeed();
    }, 50);
    break;
  }
  case 'count': {
    const total = Number(environment.OPTION_LINES);
    const pause = Number(environment.OPTION_PAUSE_MS ?? 0);
    for (let line = 1; line <= total; line += 1) {
      console.log(`line ${line} of ${total}`);
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    }
    succeed();
    break;
  }
  case 'write-to-input':
    try {
      writeFileSync(join(input, 'intruder'), 'x');
      succeed();
    } catch (error) {
      const reason = JSON.stringify({ error: error.message });
      writeFileSync(process.env.SM_NEO_COMPILATION_ERROR_FILE, reason);
      process.exitCode = 1;
    }
    break;
  case 'leave-link':
    succeed();
    symlinkSync('/etc/hostname', join(output, 'leak'));
    break;
  case 'eat-memory':
    for (const eaten = []; ; ) eaten.push(Buffer.alloc(16 * 1024 ** 2, 1));
  case 'crash':
    process.abort();
    break;
  case 'beat-with-child': {
    // Both go on whatever they are asked; the file shows whether the child still does.
    const beat = `process.on('SIGTERM', () => {});
      setInterval(() => require('node:fs').appendFileSync(process.argv[1], '.'), 50);`;
    spawn(process.execPath, ['-e', beat, join(output, 'beats')], { stdio: 'inherit' });
    keepAlive();
    break;
  }
  default:
    throw new Error(`unknown act ${act}`);
}
