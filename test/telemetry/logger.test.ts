import { describe, expect, it } from 'vitest';
import { createLogger } from '#burnish/telemetry/logger.js';
import { redactSecrets } from '#burnish/telemetry/redact-secrets.js';
import { onBehalfOf, onNobodysBehalf } from '#burnish/telemetry/request-scope.js';
import { fc } from '../support/properties.js';

function logger() {
  const lines: string[] = [];
  return { log: createLogger('debug', { write: (line) => lines.push(line) }), lines };
}

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYzEXAMPLEKEY';

describe('the service’s log', () => {
  it('is one JSON object a line, with the request that a line is about', async () => {
    const { log, lines } = logger();
    log.info('alone');
    await onBehalfOf('request-1', async () => {
      await Promise.resolve();
      log.warn({ job: 'a' }, 'with');
      onNobodysBehalf(() => log.info('outside'));
      onBehalfOf('request-2', () => log.info('another'));
      onBehalfOf(undefined, () => log.info('nobody’s'));
    });
    const entries = lines.map((line) => JSON.parse(line));
    expect(entries.map(({ requestId }) => requestId)).toEqual([
      undefined,
      'request-1',
      undefined,
      'request-2',
      undefined,
    ]);
    expect(entries[1]).toMatchObject({ level: 'warn', job: 'a', msg: 'with' });
  });

  it.each([
    [{ authorization: `AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=${SECRET}` }],
    [{ headers: { Authorization: SECRET, 'x-amz-security-token': SECRET } }],
    [{ credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: SECRET } }],
    [{ url: `http://h/b/k?X-Amz-Date=1&X-Amz-Signature=${SECRET}&x=1` }],
    [{ url: `http://h/b/k?X-Amz-Security-Token=${SECRET}` }],
    [{ url: `postgres://burnish:${SECRET.replaceAll('/', '')}@db/jobs` }],
    [{ environment: { HF_TOKEN: SECRET, OPENAI_API_KEY: SECRET, DB_PASSWORD: SECRET } }],
    [{ env: `AWS_SECRET_ACCESS_KEY=${SECRET} HOME=/x` }],
    [{ body: JSON.stringify({ OptimizationEnvironment: { HF_TOKEN: SECRET } }) }],
    [{ header: `Authorization: Bearer ${SECRET}` }],
    [{ err: new Error(`could not connect: PGPASSWORD=${SECRET}`) }],
  ])('never has a secret: %j', (entry) => {
    const { log, lines } = logger();
    log.error(entry, 'something');
    const [line = ''] = lines;
    expect(line).toContain('[redacted]');
    expect(line).not.toContain(SECRET.slice(0, 12));
    expect(JSON.parse(line)).toMatchObject({ level: 'error', msg: 'something' });
  });

  it('keeps what is no secret', () => {
    const entry = { job: 'a', tokens: 4096, accessKeyId: 'AKIAEXAMPLE', url: 'http://h/b/k?x=1' };
    const { log, lines } = logger();
    log.info(entry);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject(entry);
  });

  it('stays JSON whatever is logged', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('token="', 'secret=\\', '"password":"x', 'Authorization: \\"', 'a://b:c@'),
    );
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.array(text), fc.double())), (entry) => {
        const { log, lines } = logger();
        log.info({ entry });
        expect(() => JSON.parse(lines[0] ?? '')).not.toThrow();
      }),
    );
  });

  it('takes time by the length of a line alone', () => {
    for (const piece of ['a.', 'secret', '"token', '\\"key', 'a://']) {
      const line = piece.repeat(200_000 / piece.length);
      expect(redactSecrets(line).length).toBeGreaterThan(0);
    }
  });
});
