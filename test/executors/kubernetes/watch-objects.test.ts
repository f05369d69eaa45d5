import type { KubernetesObject } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { Cluster } from '#burnish/executors/kubernetes/cluster.js';
import { watchObjects } from '#burnish/executors/kubernetes/watch-objects.js';

type Step = (
  event: (phase: string, object: object) => void,
  done: (error?: unknown) => void,
) => void;

const object = (name: string, resourceVersion: string): KubernetesObject => ({
  metadata: { name, resourceVersion },
});

/** A server that answers each list and each watch with what comes next. */
async function follow(lists: readonly (readonly KubernetesObject[])[], steps: readonly Step[]) {
  const seen: string[] = [];
  const versions: unknown[] = [];
  const troubles: unknown[] = [];
  const over = new AbortController();
  let listed = 0;
  let watched = 0;
  const watch = async (
    _path: string,
    query: Record<string, unknown>,
    event: (phase: string, object: object) => void,
    done: (error?: unknown) => void,
  ) => {
    versions.push(query.resourceVersion);
    const step = steps[watched];
    watched += 1;
    if (step === undefined) over.abort();
    else setImmediate(() => step(event, done));
    return new AbortController();
  };
  await watchObjects(
    { watch: { watch } } as unknown as Cluster,
    {
      path: '/pods',
      list: async () => {
        const items = lists[listed] ?? [];
        listed += 1;
        return { items, metadata: { resourceVersion: `list-${listed}` } };
      },
      onObject: (found, gone) => seen.push(`${gone ? '-' : '+'}${found.metadata?.name}`),
      onTrouble: (error) => troubles.push(error),
    },
    over.signal,
  );
  return { seen, versions, troubles, listed };
}

describe('watchObjects', () => {
  it('goes on from the last version that it saw when a watch ends', async () => {
    const { seen, versions, listed } = await follow(
      [[object('a', '1')]],
      [
        (event, done) => {
          event('ADDED', object('b', '5'));
          event('BOOKMARK', object('', '9'));
          done();
        },
        (event, done) => {
          event('DELETED', object('b', '12'));
          done();
        },
      ],
    );
    expect(seen).toEqual(['+a', '+b', '-b']);
    expect(versions).toEqual(['list-1', '9', '12']);
    expect(listed).toBe(1);
  });

  it.each([
    ['an event', (event: Parameters<Step>[0]) => event('ERROR', { code: 410, message: 'too old' })],
    [
      'the answer',
      (_: Parameters<Step>[0], done: Parameters<Step>[1]) =>
        done(Object.assign(new Error('Gone'), { statusCode: 410 })),
    ],
  ])('lists anew when %s says that the version is gone, and misses nothing', async (_, step) => {
    const { seen, versions } = await follow(
      [
        [object('a', '1'), object('b', '2')],
        [object('b', '7'), object('c', '8')],
      ],
      [step],
    );
    expect(seen).toEqual(['+a', '+b', '-a', '+b', '+c']);
    expect(versions).toEqual(['list-1', 'list-2']);
  });

  it('says what is wrong and tries again when the server does not answer', async () => {
    const { versions, troubles } = await follow(
      [[]],
      [(_, done) => done(new Error('connect ECONNREFUSED'))],
    );
    expect(troubles).toHaveLength(1);
    expect(versions).toEqual(['list-1', 'list-1']);
  });
});
