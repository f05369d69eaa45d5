import type { StepNetwork } from '../../executor.js';

/** A network by its identifiers, as a VpcConfig names them. */
export interface VpcNetwork {
  readonly vpc: string;
  readonly subnets: readonly string[];
  readonly securityGroups: readonly SecurityGroup[];
}

export interface SecurityGroup {
  readonly id: string;
  /** Destinations that may be reached; nothing if empty. */
  readonly allows: readonly string[];
}

/**
 * What a VpcConfig asks for, held to the networks that there are.
 *
 * @returns what may be reached, or in `refusal` why there is no such network, naming the identifiers
 */
export function findNetwork(
  networks: readonly VpcNetwork[],
  { subnets, securityGroupIds }: StepNetwork,
): { readonly allows: readonly string[] } | { readonly refusal: string } {
  const ofSubnet = new Map(
    networks.flatMap((network) => network.subnets.map((subnet) => [subnet, network] as const)),
  );
  const ofGroup = new Map(
    networks.flatMap((network) => network.securityGroups.map(({ id }) => [id, network] as const)),
  );
  for (const subnet of subnets) {
    if (!ofSubnet.has(subnet)) {
      return { refusal: `VpcConfig.Subnets: The subnet ID '${subnet}' does not exist` };
    }
  }
  for (const id of securityGroupIds) {
    if (!ofGroup.has(id)) {
      return { refusal: `VpcConfig.SecurityGroupIds: The security group '${id}' does not exist` };
    }
  }
  const [first = ''] = subnets;
  const network = ofSubnet.get(first);
  const stray = subnets.find((subnet) => ofSubnet.get(subnet) !== network);
  if (stray !== undefined) {
    return { refusal: `VpcConfig.Subnets: ${stray} and ${first} belong to different networks.` };
  }
  const foreign = securityGroupIds.find((id) => ofGroup.get(id) !== network);
  if (foreign !== undefined) {
    return {
      refusal: `VpcConfig.SecurityGroupIds: Security group ${foreign} and subnet ${first} belong to different networks.`,
    };
  }
  const groups = network?.securityGroups ?? [];
  return {
    allows: groups
      .filter(({ id }) => securityGroupIds.includes(id))
      .flatMap(({ allows }) => allows),
  };
}
