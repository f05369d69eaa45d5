const REDACTED = '[redacted]';

/** Words in a name that say that its value is nobody's business. */
const SECRET_NAME =
  '(?:secret|passw|passphrase|authorization|credential|api[-_]?key|private[-_]?key|access[-_]?key(?![-_]?id)|token(?!s))';

/** Names are bounded, so that a line takes time by its length, whatever is in it.
 * Text within JSON ends at a quote that is not escaped; within text, quotes may be escaped once more. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // Members of JSON whose name says it: "aws_secret_access_key":"…"
  [
    new RegExp(
      `("[^"\\\\]{0,100}${SECRET_NAME}[^"\\\\]{0,100}"\\s*:\\s*")(?:[^"\\\\]|\\\\.)*"`,
      'gi',
    ),
    `$1${REDACTED}"`,
  ],
  // The same in JSON within a string.
  [
    new RegExp(
      `(\\\\"[^"\\\\]{0,100}${SECRET_NAME}[^"\\\\]{0,100}\\\\"\\s*:\\s*\\\\")[^"\\\\]*\\\\"`,
      'gi',
    ),
    `$1${REDACTED}\\"`,
  ],
  // Variables and options in text: AWS_SESSION_TOKEN=…, --password …
  [
    new RegExp(`(\\b[\\w.-]{0,100}${SECRET_NAME}[\\w.-]{0,100}\\s*=\\s*)[^\\s"'&;,\\\\]+`, 'gi'),
    `$1${REDACTED}`,
  ],
  // Headers in text: Authorization: AWS4-HMAC-SHA256 Credential=…, Signature=…
  [/(\bauthorization\s*:\s*)[^"\\\r\n]+/gi, `$1${REDACTED}`],
  // Signature V4, in a header or in the query of a presigned URL.
  [/(\b(?:X-Amz-)?Signature=)[^\s"'&,\\]+/gi, `$1${REDACTED}`],
  // User and password of a URL.
  [/(\b[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s"'/@\\]{1,300}@/gi, `$1${REDACTED}@`],
];

/**
 * Takes out of a line of a log what must not be in one: values whose name says that they are secret,
 * signatures, passwords in URLs. A net below what the code does anyway, which is to log no such thing.
 */
export function redactSecrets(line: string): string {
  return PATTERNS.reduce((text, [pattern, instead]) => text.replace(pattern, instead), line);
}
