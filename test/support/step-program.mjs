// Stands in for the optimizer in tests of whatever runs steps: a program that obeys the LMI
// contract and does what its settings say.
import { appendFileSync, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const { environment, technique } = JSON.parse(readFileSync(process.env.BURNISH_STEP_FILE, 'utf8'));
const input = process.env.SM_NEO_INPUT_MODEL_DIR;
const output = process.env.SM_NEO_COMPILED_MODEL_DIR;
const act = environment.OPTION_ACT ?? 'succeed';

console.log(`${new Date().toISOString()} acting: ${act}`);
appendFileSync(
  process.env.BURNISH_PROGRESS_FILE,
  `${JSON.stringify({ time: Date.now(), phase: 'quantizing', tensorsDone: 1, tensorsTotal: 2 })}\n`,
);

function succeed() {
  cpSync(input, output, { recursive: true });
  const trace = join(output, 'trace.json');
  const before = existsSync(trace) ? JSON.parse(readFileSync(trace, 'utf8')) : [];
  const seen = Object.keys(process.env).sort();
  writeFileSync(trace, JSON.stringify([...before, { technique, environment, seen }]));
  writeFileSync(join(output, 'optimization-report.json'), JSON.stringify({ steps: before.length }));
}

process.on('exit', (code) => writeFileSync(process.env.BURNISH_EXIT_FILE, String(code)));

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
    process.on('SIGTERM', () => {
      console.log('terminated politely');
      process.exit(143);
    });
    keepAlive();
    break;
  case 'beat-then-succeed': {
    // Goes on whether or not anyone is there to see it.
    let left = Number(environment.OPTION_DELAY_MS) / 50;
    const beat = setInterval(() => {
      appendFileSync(process.env.BURNISH_PROGRESS_FILE, '{"phase":"quantizing"}\n');
      left -= 1;
      if (left > 0) return;
      clearInterval(beat);
      succeed();
    }, 50);
    break;
  }
  case 'ignore-term':
    process.on('SIGTERM', () => console.log('ignored'));
    keepAlive();
    break;
  default:
    throw new Error(`unknown act ${act}`);
}
