import { readFileSync } from 'node:fs';

interface Schema {
  readonly type?: string;
  readonly types?: readonly string[];
  readonly ref?: string;
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
}

const { kinds, schemas } = JSON.parse(
  readFileSync(new URL('./api-schemas.json', import.meta.url), 'utf8'),
) as {
  readonly kinds: Readonly<Record<string, string>>;
  readonly schemas: Readonly<Record<string, Schema>>;
};

/**
 * Checks an object against what the published OpenAPI description of Kubernetes says of its kind
 * (`test/kubernetes/vendor-schemas.mjs`). Members that nobody knows are faults too.
 *
 * @returns what is wrong; empty when nothing is
 */
export function validateManifest(object: object): readonly string[] {
  // As it goes over the wire: without members that are undefined.
  const manifest = JSON.parse(JSON.stringify(object)) as Record<string, unknown>;
  const kind = `${manifest.apiVersion} ${manifest.kind}`;
  const name = kinds[kind];
  if (name === undefined) return [`${kind} is not known`];
  return faults({ ref: name }, manifest, '');
}

function faults(schema: Schema, value: unknown, path: string): readonly string[] {
  const { properties, additionalProperties, required = [], items, ...rest } = resolve(schema);
  const types = rest.types ?? (rest.type === undefined ? [] : [rest.type]);
  if (types.length > 0 && !types.some((type) => isOf(type, value))) {
    return [`${path}: ${types.join(' or ')} expected`];
  }
  if (rest.enum !== undefined && !rest.enum.includes(String(value))) {
    return [`${path}: one of ${rest.enum.join(', ')} expected`];
  }
  if (Array.isArray(value)) {
    return value.flatMap((element, index) => faults(items ?? {}, element, `${path}[${index}]`));
  }
  if (value === null || typeof value !== 'object') return [];
  const at = (name: string) => (path === '' ? name : `${path}.${name}`);
  const missing = required.filter((name) => !(name in value)).map((name) => `${at(name)}: missing`);
  const within = Object.entries(value).flatMap(([name, member]) => {
    const known = properties?.[name] ?? additionalProperties;
    if (known === undefined || known === false) {
      return properties === undefined ? [] : [`${at(name)}: unknown`];
    }
    return known === true ? [] : faults(known, member, at(name));
  });
  return [...missing, ...within];
}

function resolve(schema: Schema): Schema {
  return schema.ref === undefined ? schema : { ...schemas[schema.ref] };
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value);
    case 'array':
      return Array.isArray(value);
    case 'object':
      return value !== null && typeof value === 'object' && !Array.isArray(value);
    default:
      // The other names of JSON Schema are those of typeof.
      return typeof value === type;
  }
}
