import {
  boolean,
  list,
  map,
  number,
  optional,
  required,
  structure,
} from '../../service-model/shape.js';
import { BYTES, TEXT, USER } from './values.js';

const TEXTS = list(TEXT, { maxLength: 100 });

const VOLUME_SHAPE = structure('KubernetesVolume', {
  claim: required(
    TEXT,
    'The PersistentVolumeClaim that holds the data folder; many nodes have to be able to write to it.',
  ),
  root: required(TEXT, 'Where the service itself has that volume mounted.'),
});

const SCRATCH_SHAPE = structure('KubernetesScratch', {
  bytes: required(BYTES, 'Its size; a model and what becomes of it have to fit.'),
  storageClass: optional(TEXT, 'Its storage class; the cluster’s default one if not given.'),
});

const S3_SHAPE = structure('KubernetesS3', {
  staging: required(
    TEXT,
    'An s3:// URI below which results are until they are published; this service’s alone.',
  ),
  credentialsSecret: optional(
    TEXT,
    'The Secret with the pods’ AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if need be, AWS_SESSION_TOKEN; without it pods are who their service account is, and images are refused.',
  ),
  serviceAccount: optional(TEXT, 'The service account of pods.'),
  endpoint: optional(TEXT, 'The endpoint as pods reach it; that of the service by default.'),
  cidrs: optional(
    TEXTS,
    'Addresses that pods have to reach beside those of a VpcConfig: the endpoint’s, and DNS.',
  ),
  scratch: optional(
    SCRATCH_SHAPE,
    'A volume of each pod’s own to work on; the node’s disk by default.',
  ),
});

const INSTANCE_SHAPE = structure('KubernetesInstance', {
  instanceType: required(TEXT, 'A deployment instance type; * is any characters.'),
  nodeSelector: optional(map(TEXT, TEXT), 'Labels of the nodes where its steps run.'),
  tolerations: optional(TEXTS, 'Keys of those nodes’ taints that its steps put up with.'),
  acceleratorResource: optional(
    TEXT,
    'The resource by which those nodes hand out accelerators, nvidia.com/gpu for example.',
  ),
});

const NETWORK_SHAPE = structure('KubernetesNetwork', {
  subnet: required(TEXT, 'A subnet as VpcConfig.Subnets names it.'),
  cidrs: required(TEXTS, 'The addresses that its steps may speak to, as CIDR blocks.'),
  securityGroupIds: optional(
    TEXTS,
    'The security groups whose rules that keeps; a job that asks for another is refused.',
  ),
});

/** How steps run as Jobs of a Kubernetes cluster. */
export const KUBERNETES_SHAPE = structure('Kubernetes', {
  kubeconfig: optional(
    TEXT,
    'A kubeconfig file; without it the pod’s service account, or what kubectl would take.',
  ),
  context: optional(TEXT, 'Which context of it.'),
  namespace: optional(TEXT, 'Where Jobs are made; burnish by default.'),
  volume: optional(VOLUME_SHAPE, 'The volume that steps see their folders of.'),
  s3: optional(S3_SHAPE, 'In place of a volume: pods read and write models in S3 themselves.'),
  optimizerImage: optional(TEXT, 'The image of the built-in optimizer; burnish by default.'),
  imagePullSecrets: optional(TEXTS, 'Secrets with which nodes pull images.'),
  user: optional(USER, 'UID:GID of the program in its pod; the service’s own by default.'),
  instances: optional(
    list(INSTANCE_SHAPE, { maxLength: 200 }),
    'Where steps run, by deployment instance type; the first that matches counts.',
  ),
  enforcesNetworkPolicies: optional(
    boolean,
    'Whether the cluster’s network enforces NetworkPolicy. Then every step’s pod is closed but for what its VpcConfig opens; otherwise jobs with one are refused.',
  ),
  networks: optional(list(NETWORK_SHAPE, { maxLength: 100 }), 'What subnets stand for.'),
  cpus: optional(number, 'Processors of a step whose needs nobody has estimated.'),
  unstartableSeconds: optional(
    number,
    'How long a container may fail to be started, because of its image for example, before the step has failed; 300 by default.',
  ),
  memoryBytes: optional(BYTES, 'Memory of a step whose needs nobody has estimated.'),
});
