import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listFolder } from '#burnish/checkpoint/folder.js';
import { readChatTemplate } from '#burnish/optimizer/texts/chat-template.js';
import { readTextSource } from '#burnish/optimizer/texts/read-text.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const TEMPLATE =
  "{% for message in messages %}{{ bos_token }}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}";

async function file(name: string, text: string): Promise<string> {
  const path = join(temporaryFolder(), name);
  await writeFile(path, text);
  return path;
}

describe('readTextSource', () => {
  it('reads running text', async () => {
    expect(await readTextSource(await file('a.txt', 'one\ntwo'), undefined)).toEqual({
      kind: 'running',
      text: 'one\ntwo',
    });
  });

  it('reads text, prompts and conversations, line by line', async () => {
    const template = await readChatTemplate([], {
      chat_template: TEMPLATE,
      bos_token: { content: '<s>' },
    });
    const lines = [
      '{"text":"a"}',
      '',
      '{"prompt":"b"}',
      '{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"ho"}]}',
    ].join('\n');
    expect(await readTextSource(await file('a.jsonl', lines), template)).toEqual({
      kind: 'samples',
      samples: [
        { text: 'a', templated: false },
        { text: 'b', templated: false },
        { text: '<s>user: hi\n<s>assistant: ho\n', templated: true },
      ],
    });
  });

  it('reads a folder in the order of its names', async () => {
    const folder = join(temporaryFolder(), 'texts');
    await mkdir(folder);
    await writeFile(join(folder, 'b.txt'), 'second');
    await writeFile(join(folder, 'a.txt'), 'first');
    await writeFile(join(folder, 'notes.md'), 'not text to read');
    expect(await readTextSource(folder, undefined)).toEqual({
      kind: 'running',
      text: 'first\n\nsecond',
    });
  });

  it.each([
    ['a.jsonl', '{"text":"a"}\n[]', 'a.jsonl, line 2 is not an object'],
    ['a.jsonl', '{"texts":"a"}', 'a.jsonl, line 1 has neither text nor prompt nor messages'],
    ['a.jsonl', '{"messages":[]}', 'a.jsonl, line 1 has messages, but the model has no chat'],
    ['a.jsonl', '{"text"', 'a.jsonl, line 1: is not valid JSON'],
    ['a.jsonl', '\n\n', 'has no samples'],
    ['a.txt', ' \n', 'has no text'],
    ['a.parquet', 'PAR1', 'neither a .txt nor a .jsonl'],
  ])('refuses %s with %j', async (name, text, message) => {
    await expect(readTextSource(await file(name, text), undefined)).rejects.toThrow(message);
  });

  it('says that there is no such file', async () => {
    await expect(readTextSource('/nowhere/a.txt', undefined)).rejects.toThrow('does not exist');
  });
});

describe('readChatTemplate', () => {
  it('prefers a file of its own', async () => {
    const folder = temporaryFolder();
    await writeFile(join(folder, 'chat_template.jinja'), 'of the file');
    const template = await readChatTemplate(await listFolder(folder), { chat_template: 'other' });
    expect(template?.([])).toBe('of the file');
  });

  it('takes the default of several', async () => {
    const template = await readChatTemplate([], {
      chat_template: [
        { name: 'tool_use', template: 'tools' },
        { name: 'default', template: 'plain' },
      ],
    });
    expect(template?.([])).toBe('plain');
  });

  it('is none where there is none', async () => {
    expect(await readChatTemplate([], {})).toBeUndefined();
  });

  it('names what a template has against the messages', async () => {
    const template = await readChatTemplate([], {
      chat_template: "{{ raise_exception('roles must alternate') }}",
    });
    expect(() => template?.([])).toThrow('roles must alternate');
  });

  it.each(["{{ constructor.constructor('return process')() }}", '{{ process.exit(3) }}'])(
    'reaches nothing but the messages: %s',
    async (source) => {
      const template = await readChatTemplate([], { chat_template: source });
      expect(() => template?.([])).toThrow('chat template');
    },
  );
});
