import { readFile } from 'node:fs/promises';
import { loadAllYaml, type V1Role } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { validateManifest } from '../../support/kubernetes/validate-manifest.js';

const MANIFEST = new URL('../../../deploy/kubernetes/rbac.yaml', import.meta.url);

it('the manifest of what the service may do is one, and stays within its namespace', async () => {
  const objects = loadAllYaml(await readFile(MANIFEST, 'utf8'));
  for (const object of objects) expect(validateManifest(object)).toEqual([]);
  expect(objects.map(({ kind }) => kind)).toEqual(['ServiceAccount', 'Role', 'RoleBinding']);
  const role = objects.find(({ kind }) => kind === 'Role') as V1Role | undefined;
  const rules = role?.rules ?? [];
  expect(rules.flatMap(({ resources = [] }) => resources)).toEqual([
    'jobs',
    'pods',
    'pods/log',
    'networkpolicies',
  ]);
  expect(JSON.stringify(rules)).not.toContain('*');
});
