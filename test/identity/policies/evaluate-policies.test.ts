import { describe, expect, it } from 'vitest';
import { evaluatePolicies } from '#burnish/identity/policies/evaluate-policies.js';
import { compilePolicy } from '#burnish/identity/policies/policy-document.js';

const policy = (Resource: string) =>
  compilePolicy(
    'identity',
    'p',
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource }],
    }),
  );

const verdict = (resourcePattern: string, resource: string) =>
  evaluatePolicies([policy(resourcePattern)], {
    principalArn: 'arn:aws:iam::000000000000:user/alice',
    accountId: '000000000000',
    action: 's3:GetObject',
    resource,
    context: {},
  });

describe('evaluating policies', () => {
  it('comes to an end for many wildcards against a long name', () => {
    // A backtracking match would try far more ways than there are seconds.
    const pattern = `arn:aws:s3:::b/${'*a'.repeat(25)}b`;
    expect(verdict(pattern, `arn:aws:s3:::b/${'a'.repeat(1024)}`)).toBe('implicitly denied');
    expect(verdict(pattern, `arn:aws:s3:::b/${'a'.repeat(1023)}b`)).toBe('allowed');
  });

  it.each(['\n', '\r', '\u2028', '\u2029'])('a wildcard takes the line end %j too', (end) => {
    expect(verdict('arn:aws:s3:::b/team/*', `arn:aws:s3:::b/team/x${end}y`)).toBe('allowed');
  });

  it('keys that look like expressions are taken as they are', () => {
    expect(verdict('arn:aws:s3:::b/a.c', 'arn:aws:s3:::b/abc')).toBe('implicitly denied');
    expect(verdict('arn:aws:s3:::b/(a|b)', 'arn:aws:s3:::b/a')).toBe('implicitly denied');
    expect(verdict('arn:aws:s3:::b/(a|b)', 'arn:aws:s3:::b/(a|b)')).toBe('allowed');
  });
});
