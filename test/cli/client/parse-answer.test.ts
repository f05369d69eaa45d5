import { describe, expect, it } from 'vitest';
import { debugLog, printableHeaders } from '#burnish/cli/client/debug-log.js';
import { parseAnswer, parseError } from '#burnish/cli/client/parse-answer.js';

const answer = (status: number, body: string, headers = {}) => ({ status, body, headers });

describe('an error of the service', () => {
  it.each([
    [answer(400, '{"__type":"ValidationException","message":"m"}'), 'ValidationException', 'm'],
    [answer(400, '{"__type":"ResourceInUse","Message":"M"}'), 'ResourceInUse', 'M'],
    [answer(400, '{"__type":"com.amazonaws.x#Code","message":"m"}'), 'Code', 'm'],
    [answer(400, '{"__type":"Code:http://x/","message":"m"}'), 'Code', 'm'],
    [answer(400, '{}', { 'x-amzn-query-error': 'Other;Sender' }), 'Other', ''],
    [answer(404, 'not found'), '404', 'not found'],
    [answer(403, ''), '403', ''],
    [answer(413, '[1]'), '413', ''],
    [answer(301, '{"message":7}'), '301', ''],
    [answer(502, '<html><body>bad'), '502', 'Bad Gateway'],
    [answer(503, '  '), '503', 'Service Unavailable'],
    [answer(500, '{"__type":"InternalFailure"}'), 'InternalFailure', ''],
  ])('%j', (given, code, reason) => expect(parseError(given)).toEqual({ code, reason }));
});

describe('a good answer', () => {
  it('is its JSON, or empty', () => {
    expect(parseAnswer(answer(200, '{"a":[1]}'), 'http://x/')).toEqual({ a: [1] });
    expect(parseAnswer(answer(200, ''), 'http://x/')).toEqual({});
    expect(() => parseAnswer(answer(200, '<html>'), 'http://x/')).toThrow('http://x/');
  });
});

describe('the debug log', () => {
  it('leaves out what is secret in headers', () => {
    const printed = printableHeaders({
      Authorization: 'AWS4-HMAC-SHA256 Credential=AKID/x, SignedHeaders=host, Signature=abc123',
      'X-Amz-Security-Token': 'token',
      'proxy-authorization': 'Basic c2VjcmV0',
      host: 'example',
    });
    expect(printed).toContain('Credential=AKID/x');
    expect(printed).toContain('"host":"example"');
    for (const secret of ['abc123', 'token"', 'c2VjcmV0']) expect(printed).not.toContain(secret);
  });

  it('is a line for each message', () => {
    let written = '';
    debugLog({ write: (text) => (written += text) })('hello');
    expect(written).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} - burnish - DEBUG - hello\n$/);
  });
});
