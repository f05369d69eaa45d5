import { describe, expect, it } from 'vitest';
import { compilePolicy, MalformedPolicyError } from '#burnish/identity/policies/policy-document.js';

const statement = (change: Readonly<Record<string, unknown>>) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*', ...change }],
  });

describe('a policy document', () => {
  it.each([
    ['text that is no JSON', 'allow all', /not valid JSON/],
    ['a number', '5', /must be an object with a Statement/],
    ['nothing', 'null', /must be an object with a Statement/],
    ['a list', '[]', /must be an object with a Statement/],
    ['no statement', '{"Version":"2012-10-17"}', /must be an object with a Statement/],
    ['an empty list of statements', '{"Version":"2012-10-17","Statement":[]}', /must not be empty/],
    [
      'another version',
      '{"Version":"2020-01-01","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
      /Version/,
    ],
    ['an effect that is none', statement({ Effect: 'allow' }), /Effect/],
    ['an action without a service', statement({ Action: 'GetObject' }), /Action/],
    ['no resource', statement({ Resource: undefined }), /Resource/],
    [
      'a resource that is no ARN',
      statement({ Resource: 'models/*' }),
      /must be in ARN format or "\*"/,
    ],
    ['a principal', statement({ Principal: '*' }), /Principal is not allowed/],
    [
      'an unknown operator',
      statement({ Condition: { StringAlike: { a: 'b' } } }),
      /Invalid Condition type: StringAlike/,
    ],
    ['an unknown member', statement({ Resources: '*' }), /Resources/],
    ['a condition of objects', statement({ Condition: { StringEquals: { a: {} } } }), /Condition/],
    [
      'more than ten kilobytes',
      statement({ Sid: 'x'.repeat(11_000) }),
      /has 11\d+ bytes; the most is 10240/,
    ],
    ['deep nesting', `{"Statement":${'['.repeat(20)}${']'.repeat(20)}}`, /nested too deeply/],
    [
      'a statement ID twice',
      '{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"}]}',
      /Statement IDs \(SID\) must be unique/,
    ],
  ])('is refused for %s', (_what, text, message) => {
    expect(() => compilePolicy('identity', 'p', text)).toThrow(MalformedPolicyError);
    expect(() => compilePolicy('identity', 'p', text)).toThrow(message);
  });

  it.each([
    'StringEquals',
    'ForAllValues:StringLike',
    'ForAnyValue:ArnEqualsIfExists',
    'NumericLessThanEquals',
    'DateGreaterThanIfExists',
    'Bool',
    'BinaryEquals',
    'NotIpAddress',
    'Null',
  ])('may have the operator %s', (operator) => {
    expect(() =>
      compilePolicy(
        'identity',
        'p',
        statement({ Condition: { [operator]: { 'aws:userid': 'x' } } }),
      ),
    ).not.toThrow();
  });

  it('says who may assume a role, and then names no resource', () => {
    const trust = (change: object) =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'x.amazonaws.com' },
            Action: 'sts:AssumeRole',
            ...change,
          },
        ],
      });
    expect(() => compilePolicy('trust', 'r', trust({}))).not.toThrow();
    expect(() => compilePolicy('trust', 'r', trust({ Resource: '*' }))).toThrow(/Resource/);
    expect(() => compilePolicy('trust', 'r', trust({ Principal: undefined }))).toThrow(/Principal/);
  });
});
