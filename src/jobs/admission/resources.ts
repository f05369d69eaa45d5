import type { ResourceEstimate } from '../../executors/executor.js';
import type { TechniqueName } from '../../service-model/techniques.js';
import type { JobNeeds } from '../../store/job-record.js';

/** What a job takes of a machine while it runs, or what a machine has to give. */
export type Resources = JobNeeds;

export const NOTHING: Resources = { cores: 0, memoryBytes: 0, diskBytes: 0 };

/** What two jobs take together. */
export function add(a: Resources, b: Resources): Resources {
  return {
    cores: a.cores + b.cores,
    memoryBytes: a.memoryBytes + b.memoryBytes,
    diskBytes: a.diskBytes + b.diskBytes,
  };
}

/** Whether there is enough of everything. */
export function fitsWithin(inner: Resources, outer: Resources): boolean {
  return (
    inner.cores <= outer.cores &&
    inner.memoryBytes <= outer.memoryBytes &&
    inner.diskBytes <= outer.diskBytes
  );
}

/** The part of a job's needs that a machine can give: work goes slower on fewer cores, so no job needs
 * more of them than there are. Memory and disk can't be made do with less. */
export function onMachine(needs: Resources, capacity: Pick<Resources, 'cores'>): Resources {
  return { ...needs, cores: Math.max(1, Math.min(needs.cores, capacity.cores)) };
}

/**
 * What a step of a job is given: on this machine its cores, or all there are where nothing is known of
 * it; elsewhere what it was estimated to make use of. A compiled graph is measured only where there is
 * memory for it, so compilation is given no limit: it would have to be that of the whole graph.
 */
export function stepResources(
  technique: TechniqueName,
  { cores }: Pick<Resources, 'cores'>,
  needs: Resources | undefined,
  elsewhere: boolean,
): ResourceEstimate {
  const memoryBytes = technique === 'compilation' ? undefined : needs?.memoryBytes || undefined;
  if (elsewhere) return { cores: needs?.cores, memoryBytes };
  return { cores: Math.max(1, Math.min(needs?.cores ?? cores, cores)), memoryBytes };
}
