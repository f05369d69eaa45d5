/**
 * The evaluator turns patterns into regular expressions whose wildcards stop at line ends, and takes an
 * asterisk in the resource of a request for a wildcard. Names of objects may hold both. So requests and
 * policies are compared with these characters replaced by ones of the private use area.
 */
const LINE_ENDS = /[\n\r\u2028\u2029]/g;
const LINE_ENDS_AND_ASTERISKS = /[\n\r\u2028\u2029*]/g;

const replacement = (character: string) =>
  String.fromCharCode(0xf000 + (character.charCodeAt(0) & 0xff));

/** @param what `lines` for policies and values; `resource` for what a request asks for */
export function standIn(text: string, what: 'lines' | 'resource'): string {
  return text.replace(what === 'lines' ? LINE_ENDS : LINE_ENDS_AND_ASTERISKS, replacement);
}
