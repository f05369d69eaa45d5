import { ExecutorError, type StepNetwork } from '../executor.js';
import type { DockerOptions } from './docker-options.js';

type Networks = Pick<DockerOptions, 'network' | 'networks'>;

/**
 * The networks of the engine that a step is in.
 * @throws ExecutorError when nothing is configured for a subnet, or a security group is not enforced there
 */
export function networksOf(
  asked: StepNetwork | undefined,
  { network, networks }: Networks,
): readonly string[] {
  if (asked === undefined) return [network];
  const names = asked.subnets.map((subnet) => {
    const entry = networks.find((candidate) => candidate.subnet === subnet);
    if (entry === undefined) {
      throw new ExecutorError(
        `VpcConfig: nothing is configured for the subnet ${subnet}; executor.docker.networks says which network of the engine stands for it.`,
      );
    }
    const missing = asked.securityGroupIds.find((id) => !entry.securityGroupIds.includes(id));
    if (missing !== undefined) {
      throw new ExecutorError(
        `VpcConfig: the network of the subnet ${subnet} is not configured to enforce the security group ${missing}; executor.docker.networks lists what each does.`,
      );
    }
    return entry.network;
  });
  return [...new Set(names)];
}
