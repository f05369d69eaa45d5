/** What `--debug` writes: one line for each thing that happens, to standard error. */
export type DebugLog = (message: string) => void;

/** Headers whose value, or part of it, is a secret or could be used as one. */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'x-amz-security-token',
]);

export const debugLog =
  (stream: { write(text: string): unknown } = process.stderr): DebugLog =>
  (message) => {
    const now = new Date().toISOString().replace('T', ' ').replace('Z', '');
    stream.write(`${now} - burnish - DEBUG - ${message}\n`);
  };

/** Headers as a line of JSON, with secrets left out but for what they are for. */
export function printableHeaders(headers: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(
    Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        SECRET_HEADERS.has(name.toLowerCase()) ? masked(String(value)) : value,
      ]),
    ),
  );
}

/** Of a signature, the key's id and the scope are no secret, and are what one wants to see. */
const masked = (value: string): string =>
  value.startsWith('AWS4-') ? value.replace(/Signature=\w+/, 'Signature=***') : '***';
