// What it costs to ask a user's policies: processor time of one decision, evaluated anew and remembered.
import { Authorizer } from '../../dist/identity/authorizer.js';
import { compilePolicy } from '../../dist/identity/policies/policy-document.js';
import { machine } from '../support/measure.mjs';

const ACCOUNT = '000000000000';
const JOBS = `arn:aws:sagemaker:us-east-1:${ACCOUNT}:optimization-job`;
const address = { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } };
const secret = { StringEquals: { 'aws:ResourceTag/secret': 'true' } };
const policies = [
  { Effect: 'Allow', Action: 'sagemaker:*', Resource: `${JOBS}/team-*`, Condition: address },
  { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: '*' },
  { Effect: 'Deny', Action: '*', Resource: '*', Condition: secret },
].map((statement) =>
  compilePolicy(
    'identity',
    'policy',
    JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
  ),
);
const user = {
  kind: 'user',
  arn: `arn:aws:iam::${ACCOUNT}:user/bench`,
  accountId: ACCOUNT,
  userId: 'AIDABENCH',
  userName: 'bench',
};
const facts = { sourceIp: '127.0.0.1', secure: false, region: 'us-east-1', now: new Date() };
const authorizer = new Authorizer({ revision: 1, policiesOf: () => policies });

/** Microseconds of processor time for one decision. */
async function cost(decisions, jobOf) {
  const before = process.cpuUsage();
  for (let index = 0; index < decisions; index += 1) {
    const permission = {
      action: 'sagemaker:DescribeOptimizationJob',
      resource: `${JOBS}/team-${jobOf(index)}`,
      resourceTags: async () => ({}),
    };
    await authorizer.authorize(user, permission, facts);
  }
  const { user: own, system } = process.cpuUsage(before);
  return (own + system) / decisions;
}

console.log(machine());
await cost(2_000, (index) => `warm-${index}`);
console.log(`evaluated anew: ${(await cost(5_000, (index) => index)).toFixed(0)} µs`);
console.log(`remembered: ${(await cost(50_000, (index) => index % 100)).toFixed(1)} µs`);
