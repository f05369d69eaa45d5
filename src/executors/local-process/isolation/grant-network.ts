import type { StepNetwork } from '../../executor.js';
import { impossibleDestinations, ownAddresses, routesTo } from './allowed-destinations.js';
import type { Reach } from './isolate-step.js';
import { probeIsolation, probeUplink } from './probe-isolation.js';
import { findNetwork, type VpcNetwork } from './vpc-networks.js';

/**
 * What a step may reach, by its job's VpcConfig.
 * @returns in `refusal` why this machine can't hold a step to that, and what to do
 */
export async function grantNetwork(
  asked: StepNetwork,
  networks: readonly VpcNetwork[],
): Promise<{ readonly reach: Reach } | { readonly refusal: string }> {
  const found = findNetwork(networks, asked);
  if ('refusal' in found) return found;
  const { allows } = found;
  const impossible = impossibleDestinations(allows);
  if (impossible.length > 0) {
    return {
      refusal: `VpcConfig.SecurityGroupIds: the groups allow ${impossible.join(', ')}, and a step that runs as a process of this machine can only be held to IPv4 addresses and ranges (10.0.0.5, 10.1.0.0/16) of other machines, not to names or ports. Name groups that allow nothing else.`,
    };
  }
  const { network, ...probed } = await probeIsolation();
  if (!network) {
    const why = 'reason' in probed ? ` (${probed.reason})` : '';
    return {
      refusal: `VpcConfig: this machine can't cut a step off from the network${why}, and the job is not run without that. Let the service make network namespaces, as the superuser or through user namespaces.`,
    };
  }
  if (allows.length === 0) return { reach: 'nothing' };
  const fault = await probeUplink();
  if (fault !== undefined) {
    return {
      refusal: `VpcConfig.SecurityGroupIds: the groups allow ${allows.join(', ')}, and this machine can't give a step a network that reaches nothing else: ${fault} Have that mended, or name groups that allow nothing.`,
    };
  }
  return { reach: routesTo(allows, await ownAddresses()) };
}
