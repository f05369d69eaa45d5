import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importTestImage } from './test-image.js';

/** Stands in for the official Node image, of which it has a small part. */
export const NODE_IMAGE = 'burnish-test/node:20';

/** What the Dockerfile's instructions run, and ONNX Runtime's last library, which Node does without. */
const PROGRAMS = {
  '/bin/sh': '/bin/sh',
  '/usr/bin/env': '/usr/bin/env',
  '/bin/mkdir': '/bin/mkdir',
  '/bin/chown': '/bin/chown',
  '/bin/rm': '/bin/rm',
  '/lib/x86_64-linux-gnu/librt.so.1': '/lib/x86_64-linux-gnu/librt.so.1',
};

/**
 * Makes an image with Node, npm and a shell out of this machine's own files, without any registry of
 * images. npm finds this machine's packages registry in it, and trusts whom it trusts here.
 */
export async function importNodeImage(socket: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'burnish-node-image-'));
  try {
    const own = (name: string, content: string) => {
      writeFileSync(join(folder, name), content, { mode: 0o755 });
      return join(folder, name);
    };
    const certificates = npmSetting('cafile');
    const settings = [
      `registry=${npmSetting('registry')}`,
      ...(certificates === undefined ? [] : [`cafile=${CERTIFICATES}`]),
    ];
    const npm = spawnSync('npm', ['root', '--global'], { encoding: 'utf8' }).stdout.trim();
    await importTestImage(socket, {
      name: NODE_IMAGE,
      programs: PROGRAMS,
      files: {
        '/usr/local/lib/node_modules/npm/': join(npm, 'npm/'),
        '/usr/local/etc/npmrc': own('npmrc', `${settings.join('\n')}\n`),
        '/etc/passwd': own('passwd', 'root:x:0:0::/:/bin/sh\nnode:x:1000:1000::/tmp:/bin/sh\n'),
        ...(certificates === undefined ? {} : { [CERTIFICATES]: certificates }),
        '/usr/local/bin/npm': own('npm', NPM),
      },
      changes: [],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const NPM = '#!/bin/sh\nexec node /usr/local/lib/node_modules/npm/bin/npm-cli.js "$@"\n';

function npmSetting(name: string): string | undefined {
  // Outside the project, whose own settings the Dockerfile copies.
  const { stdout } = spawnSync('npm', ['config', 'get', name], { encoding: 'utf8', cwd: tmpdir() });
  const value = stdout.trim();
  return value === '' || value === 'null' || value === 'undefined' ? undefined : value;
}
