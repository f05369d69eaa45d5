import { list, optional, required, string, structure } from '../../service-model/shape.js';

const ID = string({ minLength: 1, maxLength: 32, pattern: '[-0-9a-zA-Z]+' });

const SECURITY_GROUP_SHAPE = structure('SecurityGroup', {
  id: required(ID, 'What VpcConfig.SecurityGroupIds calls it.'),
  allows: optional(
    list(string({ minLength: 1, maxLength: 128 }), { maxLength: 100 }),
    'IPv4 addresses and ranges (10.0.0.5, 10.1.0.0/16) that a step may reach, on all ports; nothing by default. Needs slirp4netns where steps run as processes.',
  ),
});

const NETWORK_SHAPE = structure('Network', {
  vpc: required(ID, 'The name of the network.'),
  subnets: required(
    list(ID, { minLength: 1, maxLength: 100 }),
    'What VpcConfig.Subnets calls its parts.',
  ),
  securityGroups: required(
    list(SECURITY_GROUP_SHAPE, { minLength: 1, maxLength: 100 }),
    'The security groups of the network.',
  ),
});

/** The networks that a VpcConfig can name. */
export const NETWORKS_SHAPE = list(NETWORK_SHAPE, { maxLength: 100 });
