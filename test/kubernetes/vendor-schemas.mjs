// Writes test/support/kubernetes/api-schemas.json anew: what the published OpenAPI description of
// Kubernetes (Apache-2.0) says of the objects that we make, without its prose.
//
// usage: node test/kubernetes/vendor-schemas.mjs FOLDER
//        FOLDER is api/openapi-spec/v3 of the module k8s.io/kubernetes
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [folder] = process.argv.slice(2);
const ROOTS = {
  'apis__batch__v1_openapi.json': ['io.k8s.api.batch.v1.Job'],
  'apis__networking.k8s.io__v1_openapi.json': ['io.k8s.api.networking.v1.NetworkPolicy'],
  'apis__rbac.authorization.k8s.io__v1_openapi.json': [
    'io.k8s.api.rbac.v1.Role',
    'io.k8s.api.rbac.v1.RoleBinding',
  ],
  'api__v1_openapi.json': ['io.k8s.api.core.v1.ServiceAccount'],
};
const REFERENCE = '#/components/schemas/';
const KEPT = ['type', 'format', 'required', 'enum', 'additionalProperties'];

const schemas = {};
const kinds = {};

function keep(schema, all) {
  const kept = {};
  for (const name of KEPT) if (schema[name] !== undefined) kept[name] = schema[name];
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (reference !== undefined) {
    kept.ref = reference.slice(REFERENCE.length);
    visit(kept.ref, all);
  }
  if (schema.oneOf !== undefined) kept.types = schema.oneOf.map(({ type }) => type);
  if (schema.items !== undefined) kept.items = keep(schema.items, all);
  if (typeof schema.additionalProperties === 'object') {
    kept.additionalProperties = keep(schema.additionalProperties, all);
  }
  if (schema.properties !== undefined) {
    kept.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [name, keep(property, all)]),
    );
  }
  return kept;
}

function visit(name, all) {
  if (schemas[name] !== undefined) return;
  schemas[name] = {};
  schemas[name] = keep(all[name], all);
}

for (const [file, names] of Object.entries(ROOTS)) {
  const all = JSON.parse(readFileSync(join(folder, file), 'utf8')).components.schemas;
  for (const name of names) {
    visit(name, all);
    for (const { group, version, kind } of all[name]['x-kubernetes-group-version-kind']) {
      kinds[`${group === '' ? '' : `${group}/`}${version} ${kind}`] = name;
    }
  }
}
const target = fileURLToPath(new URL('../support/kubernetes/api-schemas.json', import.meta.url));
writeFileSync(target, `${JSON.stringify({ kinds, schemas })}\n`);
