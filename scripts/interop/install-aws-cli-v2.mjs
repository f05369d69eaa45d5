// Finds or installs the AWS CLI v2 and the newest model of the SageMaker API for it, and prints where
// they are as JSON: {"aws": PROGRAM, "python": PYTHON, "dataPath": FOLDER}. AWS_DATA_PATH=FOLDER makes
// the program know the newest API; PYTHON can import its modules, and is missing where the program
// is no script. Where any of this can't be had, it prints the reason and exits with status 1.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const CACHE = join(root, 'node_modules', '.cache', 'burnish-interop');
const MODEL_FOLDER = join('sagemaker', '2017-07-24');

/** Where version 2 may be; the first `aws` on the path is often version 1 from PyPI. */
const CANDIDATES = [process.env.BURNISH_AWS_CLI, 'aws', '/usr/bin/aws', '/usr/local/bin/aws'];

class CannotInstall extends Error {}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return stdout;
  const output = error?.message ?? `${stdout}\n${stderr}`.trim().split('\n').slice(-3).join(' ');
  throw new CannotInstall(`\`${command} ${args.join(' ')}\` failed: ${output}`);
}

/** The path of the first AWS CLI v2 among the candidates. */
function findAws() {
  return CANDIDATES.find((candidate) => {
    if (candidate === undefined) return false;
    const { stdout } = spawnSync(candidate, ['--version'], { encoding: 'utf8' });
    return stdout?.startsWith('aws-cli/2.') ?? false;
  });
}

function installAws() {
  if (!existsSync('/usr/bin/apt-get')) {
    throw new CannotInstall(
      'there is no AWS CLI v2 (looked for `aws` on the path, and at BURNISH_AWS_CLI) and no apt-get to install it with',
    );
  }
  if (process.getuid?.() !== 0) {
    throw new CannotInstall(
      'there is no AWS CLI v2, and installing the package awscli needs root: run `apt-get install awscli`, or name a program in BURNISH_AWS_CLI',
    );
  }
  const install = ['install', '-y', '--no-install-recommends', 'awscli'];
  try {
    run('apt-get', install);
  } catch {
    run('apt-get', ['update']);
    run('apt-get', install);
  }
  const aws = findAws();
  if (aws === undefined) {
    throw new CannotInstall('the package awscli of this distribution is not version 2');
  }
  return aws;
}

/** The interpreter in the first line of a script. */
function pythonOf(program) {
  const path = run('sh', ['-c', 'command -v "$0"', program]).trim();
  const [, python] = /^#!\s*(\S*python\S*)/.exec(readFileSync(path, 'latin1').slice(0, 256)) ?? [];
  return python;
}

/** Takes the model of the API and its paginators out of PyPI's botocore. */
function installModel() {
  const dataPath = join(CACHE, 'aws-data');
  if (existsSync(join(dataPath, MODEL_FOLDER, 'paginators-1.json'))) return dataPath;
  const work = mkdtempSync(join(tmpdir(), 'burnish-botocore-'));
  try {
    run('python3', ['-m', 'venv', join(work, 'venv')]);
    const pip = join(work, 'venv', 'bin', 'pip');
    run(pip, ['download', '--quiet', '--no-deps', '--dest', work, 'botocore']);
    const wheel = readdirSync(work).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new CannotInstall('PyPI gave no wheel of botocore');
    run('python3', ['-c', EXTRACT, join(work, wheel), join(work, 'data', MODEL_FOLDER)]);
    mkdirSync(CACHE, { recursive: true });
    rmSync(dataPath, { recursive: true, force: true });
    run('cp', ['-r', join(work, 'data'), `${dataPath}.new`]);
    renameSync(`${dataPath}.new`, dataPath);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return dataPath;
}

const EXTRACT = `
import gzip, os, sys, zipfile
wheel, target = sys.argv[1:]
source = 'botocore/data/sagemaker/2017-07-24/'
os.makedirs(target)
with zipfile.ZipFile(wheel) as archive:
    for name in ('service-2.json.gz', 'service-2.json', 'paginators-1.json'):
        try:
            content = archive.read(source + name)
        except KeyError:
            continue
        if name.endswith('.gz'):
            name, content = name[:-3], gzip.decompress(content)
        with open(os.path.join(target, name), 'wb') as file:
            file.write(content)
`;

try {
  const aws = findAws() ?? installAws();
  console.log(JSON.stringify({ aws, python: pythonOf(aws), dataPath: installModel() }));
} catch (error) {
  if (!(error instanceof CannotInstall)) throw error;
  console.log(error.message);
  process.exitCode = 1;
}
