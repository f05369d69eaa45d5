import { XMLParser } from 'fast-xml-parser';
import { malformedXml } from './s3-error.js';

/** The namespace of S3's responses. */
export const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** S3's own request documents are four elements deep. */
const MAX_XML_DEPTH = 8;

/** Text of an element, or the elements in it. */
export type XmlContent = string | number | boolean | Date | readonly XmlNode[];
/** A name and its content; an undefined content leaves the element out. */
export type XmlNode = readonly [name: string, content: XmlContent | undefined];

/** An XML document. Element names are ours; content is escaped. */
export function renderXml(root: string, content: XmlContent, namespace?: string): string {
  const attributes = namespace === undefined ? '' : ` xmlns="${namespace}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attributes}>${renderContent(content)}</${root}>`;
}

function renderContent(content: XmlContent): string {
  if (typeof content === 'string') return escapeXml(content);
  if (content instanceof Date) return content.toISOString();
  if (typeof content === 'number' || typeof content === 'boolean') return String(content);
  let text = '';
  for (const [name, inner] of content) {
    if (inner !== undefined) text += `<${name}>${renderContent(inner)}</${name}>`;
  }
  return text;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

function escapeXml(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys may hold them, bare XML may not
  return text.replace(/[&<>"\x00-\x1f\x7f]/g, (character) => {
    return ESCAPES[character] ?? `&#x${character.charCodeAt(0).toString(16)};`;
  });
}

/** An element that was parsed: its children by name, each name a list; or its text. */
export type ParsedXml = string | { readonly [name: string]: readonly ParsedXml[] };

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  // Entities are decoded below, the predefined ones alone, so that nothing can be defined.
  processEntities: false,
  maxNestedTags: MAX_XML_DEPTH,
  isArray: (_name, _path, _isLeaf, isAttribute) => !isAttribute,
});

/**
 * Parses a small request document whose root has the given name.
 * @throws S3Error MalformedXML
 */
export function parseXml(text: string, root: string): ParsedXml {
  if (text.includes('<!')) throw malformedXml(); // No document types, entities or CDATA.
  let document: ParsedXml;
  try {
    document = parser.parse(text, true) as ParsedXml;
  } catch {
    throw malformedXml();
  }
  const [element, more] = children(document, root);
  if (element === undefined || more !== undefined) throw malformedXml();
  return element;
}

/** The child elements of that name. */
export function children(element: ParsedXml, name: string): readonly ParsedXml[] {
  if (typeof element === 'string' || !Object.hasOwn(element, name)) return [];
  return element[name] ?? [];
}

/** The text of the only child of that name; undefined if there is none. @throws MalformedXML */
export function childText(element: ParsedXml, name: string): string | undefined {
  const [child, more] = children(element, name);
  if (child === undefined) return undefined;
  if (more !== undefined || typeof child !== 'string') throw malformedXml();
  return unescapeXml(child);
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

function unescapeXml(text: string): string {
  return text.replace(/&([^;&]{1,10});?/g, (_match, name: string) => {
    const known = Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined;
    if (known !== undefined) return known;
    const number = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
    const code =
      number === null
        ? -1
        : Number.parseInt(number[1] ?? number[2] ?? '', number[1] === undefined ? 10 : 16);
    if (code < 0 || code > 0x10ffff) throw malformedXml();
    return String.fromCodePoint(code);
  });
}
