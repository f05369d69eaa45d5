// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is how IAM spells variables.

import { expect, it } from 'vitest';
import { evaluatePolicies } from '#burnish/identity/policies/evaluate-policies.js';
import { compilePolicy, MalformedPolicyError } from '#burnish/identity/policies/policy-document.js';
import { fc } from '../../support/properties.js';

const odd = fc.constantFrom(
  ...[
    '',
    '*',
    '?',
    'arn:',
    'arn:aws:s3',
    'arn:aws:s3:::b/(',
    'arn:*',
    '${',
    '${aws:username}',
    '${*}',
    '\n',
    '\ud800',
  ],
  ...['10.0.0.0/8', '::/0', '300.1.1.1', '1e999', '2020-01-01', 'true', 'a|b', '[a', '\\'],
);
const text = fc.oneof(odd, fc.string({ unit: 'binary', maxLength: 40 }));
function oneOrMore<Value>(one: fc.Arbitrary<Value>): fc.Arbitrary<Value | Value[]> {
  return fc.oneof(one, fc.array(one, { maxLength: 3 }));
}

const operator = fc.constantFrom(
  ...['StringLike', 'ForAllValues:StringEquals', 'NumericLessThan', 'DateEquals', 'IpAddress'],
  ...['ForAnyValue:ArnLikeIfExists', 'Bool', 'BinaryEquals', 'Null', 'Nonsense'],
);
const key = fc.constantFrom('aws:username', 'aws:SourceIp', 'aws:TagKeys', 's3:prefix', '', ':');
const statement = fc.record(
  {
    Effect: fc.constantFrom('Allow', 'Deny'),
    Action: oneOrMore(fc.constantFrom('*', 's3:*', 's3:?et*', 'S3:getobject')),
    Resource: oneOrMore(text),
    Condition: fc.dictionary(operator, fc.dictionary(key, oneOrMore(text), { maxKeys: 2 }), {
      maxKeys: 2,
    }),
  },
  { requiredKeys: ['Effect', 'Action', 'Resource'] },
);
const policy = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({ Version: fc.constant('2012-10-17'), Statement: oneOrMore(statement) }),
  },
  { weight: 1, arbitrary: fc.jsonValue() },
);

it('any policy is refused as malformed or evaluated against any request, and never fails', () => {
  let evaluated = 0;
  fc.assert(
    fc.property(
      policy,
      text,
      fc.dictionary(key, oneOrMore(text), { maxKeys: 4 }),
      (document, resource, context) => {
        let compiled: ReturnType<typeof compilePolicy>;
        try {
          compiled = compilePolicy('identity', 'p', JSON.stringify(document) ?? '');
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedPolicyError);
          return;
        }
        evaluated += 1;
        const verdict = evaluatePolicies([compiled], {
          principalArn: 'arn:aws:iam::000000000000:user/alice',
          accountId: '000000000000',
          action: 's3:GetObject',
          resource,
          context,
        });
        expect(['allowed', 'implicitly denied', 'explicitly denied']).toContain(verdict);
      },
    ),
    { numRuns: 3_000 },
  );
  expect(evaluated).toBeGreaterThan(100);
});
