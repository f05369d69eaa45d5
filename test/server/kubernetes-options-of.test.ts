import { expect, it } from 'vitest';
import { DEFAULT_CONFIGURATION } from '#burnish/server/configuration.js';
import { createExecutors } from '#burnish/server/create-executors.js';
import { kubernetesOptionsOf } from '#burnish/server/kubernetes-options-of.js';

const ENDPOINT = { endpoint: 'https://s3.example', region: 'eu-central-1', pathStyle: true };
const VOLUME = { claim: 'data', root: '/mnt/data' };
const S3 = { staging: 's3://models/staging/' };

it('reads where models are: on a volume, or in S3', () => {
  expect(kubernetesOptionsOf({ volume: VOLUME }, [], undefined).storage).toEqual({
    kind: 'volume',
    ...VOLUME,
  });
  const given = { ...S3, endpoint: 'http://s3.inside', credentialsSecret: 'pods' };
  expect(kubernetesOptionsOf({ s3: given }, [], ENDPOINT).storage).toMatchObject({
    kind: 's3',
    ...ENDPOINT,
    podEndpoint: 'http://s3.inside',
    staging: { bucket: 'models', key: 'staging' },
    credentialsSecret: 'pods',
  });
});

it.each([
  ['neither is given', {}, ENDPOINT, 'either volume'],
  ['both are given', { volume: VOLUME, s3: S3 }, ENDPOINT, 'either volume'],
  ['models are in the embedded store', { s3: S3 }, undefined, '--s3-endpoint'],
  ['staging is no place in S3', { s3: { staging: '/mnt' } }, ENDPOINT, 's3.staging'],
  ['pods could not reach S3', { s3: S3, enforcesNetworkPolicies: true }, ENDPOINT, 's3.cidrs'],
])('refuses a configuration where %s', (_, given, endpoint, message) => {
  expect(() => kubernetesOptionsOf(given, [], endpoint)).toThrow(message);
});

it('refuses to run some steps on the service’s machine when the models never come there', () => {
  const executor = { optimizer: 'kubernetes', kubernetes: { s3: S3 } } as const;
  const configuration = { ...DEFAULT_CONFIGURATION, s3Endpoint: ENDPOINT };
  const create = (more: object) =>
    createExecutors({ ...configuration, file: { executor: { ...executor, ...more } } });
  expect(() => create({})).toThrow('executor.images');
  expect(create({ images: 'none' }).objects).toBeDefined();
});
