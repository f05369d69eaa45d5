import { RE2JS } from 're2js';
import { quoted } from '../../checkpoint/errors.js';
import { SettingsError } from './errors.js';

/** A list for one model is a few names; a job's environment values are shorter still. */
const MAX_PATTERNS = 1000;

const MAX_PATTERN_LENGTH = 512;

const REGEX_PREFIX = 're:';

/** Chooses modules of a model by name. */
export interface ModulePattern {
  /** As the caller wrote it. */
  readonly source: string;
  matches(module: string): boolean;
}

/** Reads a comma-separated list of module patterns: a module's full name, the last parts of it
 * (`lm_head`, `mlp.down_proj`), or `re:` and a regular expression that must match from the name's
 * beginning, as compressed-tensors' `ignore` takes it. Expressions run on an engine whose time grows
 * linearly with the name, since they come from whoever creates a job; it has no look-around and no
 * back-references. A comma inside an expression's braces or brackets does not separate.
 * @throws SettingsError naming the setting and the pattern. */
export function parseModulePatterns(setting: string, value: string): readonly ModulePattern[] {
  const sources = splitList(value);
  if (sources.length > MAX_PATTERNS) {
    throw new SettingsError(setting, `${setting} has more than ${MAX_PATTERNS} names`);
  }
  return sources.map((source) => parsePattern(setting, source));
}

function parsePattern(setting: string, source: string): ModulePattern {
  const fail = (problem: string): never => {
    throw new SettingsError(setting, `${setting} has the name ${quoted(source)}, ${problem}`);
  };
  if (source.length > MAX_PATTERN_LENGTH) {
    return fail(`which is longer than ${MAX_PATTERN_LENGTH} characters`);
  }
  if (source.startsWith(REGEX_PREFIX)) {
    const expression = source.slice(REGEX_PREFIX.length);
    try {
      const compiled = RE2JS.compile(expression);
      return { source, matches: (module) => compiled.matcher(module).lookingAt() };
    } catch (error) {
      return fail(`whose expression cannot be used: ${(error as Error).message}`);
    }
  }
  if (!/^[\w.-]+$/.test(source)) {
    return fail(
      `which is not a module name; use a name such as lm_head, or ${REGEX_PREFIX} and a regular expression`,
    );
  }
  return {
    source,
    matches: (module) => module === source || module.endsWith(`.${source}`),
  };
}

function splitList(value: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const character of value) {
    if ('{[('.includes(character)) depth += 1;
    if ('}])'.includes(character)) depth = Math.max(0, depth - 1);
    if (character === ',' && depth === 0) {
      parts.push(part);
      part = '';
    } else {
      part += character;
    }
  }
  parts.push(part);
  return parts.map((name) => name.trim()).filter((name) => name !== '');
}
