import { emitKeypressEvents } from 'node:readline';
import { type Candidate, candidates, type ServiceNames } from '../completion/candidates.js';
import { serviceNames } from '../completion/service-names.js';
import { ConfigurationError, InterruptedError } from '../output/errors.js';
import { quoteWord, splitCommand, UnfinishedQuoteError } from '../terminal/split-command.js';
import { edit, endOf, type Key, type Line } from './line-editor.js';
import { choose, EMPTY_MENU, type Menu, matching, take, wordsAtCursor } from './menu.js';
import { drawFinal, drawScreen } from './screen.js';

export interface PromptTerminal {
  readonly stdin: NodeJS.ReadStream;
  /** Where the prompt is drawn; the command's own output goes elsewhere. */
  readonly screen: NodeJS.WriteStream;
}

const CHOOSING_KEYS: ReadonlySet<string> = new Set(['tab', 'down', 'up']);

const DEFAULT_SIZE = { columns: 80, rows: 24 };

/**
 * Shows a command line to complete, with what can come next under it.
 *
 * @throws ConfigurationError where there is no terminal, InterruptedError on Ctrl-C.
 */
export async function runPrompt(
  argv: readonly string[],
  { stdin, screen }: PromptTerminal = { stdin: process.stdin, screen: process.stderr },
): Promise<readonly string[]> {
  if (!stdin.isTTY || !screen.isTTY) {
    throw new ConfigurationError(
      'Auto-prompt needs a terminal. Give all arguments, or --no-cli-auto-prompt.',
    );
  }
  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  stdin.resume();
  const prompt = new Prompt(argv, screen);
  let pressed = Promise.resolve();
  const onKey = (text: string | undefined, key: Key) => {
    pressed = pressed.then(() => prompt.press({ ...key, sequence: text ?? key.sequence }));
  };
  const onResize = () => prompt.draw();
  stdin.on('keypress', onKey);
  screen.on('resize', onResize);
  try {
    prompt.start();
    return await prompt.result;
  } finally {
    stdin.off('keypress', onKey);
    screen.off('resize', onResize);
    stdin.setRawMode(false);
    stdin.pause();
  }
}

class Prompt {
  readonly result: Promise<readonly string[]>;
  #line: Line;
  #menu: Menu = EMPTY_MENU;
  #message = '';
  /** Counts changes of the line, so that candidates that come late are let go. */
  #version = 0;
  /** Settles when the candidates fit the line. */
  #lookedUp: Promise<void> = Promise.resolve();
  #isOver = false;
  #resolve: (words: readonly string[]) => void = () => {};
  #reject: (error: Error) => void = () => {};
  readonly #names = new Map<string, ServiceNames>();

  constructor(
    argv: readonly string[],
    private readonly screen: NodeJS.WriteStream,
  ) {
    this.#line = endOf(argv.map((word) => `${quoteWord(word)} `).join(''));
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  start(): void {
    this.#lookUp();
    this.draw();
  }

  async press(key: Key): Promise<void> {
    if (this.#isOver) return;
    this.#message = '';
    // These keys are about the candidates, so they wait for the right ones.
    if (CHOOSING_KEYS.has(key.name ?? '')) await this.#lookedUp;
    if (key.ctrl === true && (key.name === 'c' || (key.name === 'd' && this.#line.text === ''))) {
      this.#end();
      this.#reject(new InterruptedError());
      return;
    }
    if (key.name === 'return' || key.name === 'enter') this.#enter();
    else if (key.name === 'tab') this.#tab(key);
    else if (key.name === 'down' || key.name === 'up') {
      this.#menu = choose(this.#menu, key.name === 'down' ? 1 : -1);
    } else if (key.name === 'escape') this.#menu = { ...this.#menu, chosen: undefined };
    else this.#change(edit(this.#line, key));
    this.draw();
  }

  draw(): void {
    if (this.#isOver) return;
    const { columns = DEFAULT_SIZE.columns, rows = DEFAULT_SIZE.rows } = this.screen;
    this.screen.write(drawScreen(this.#line, this.#menu, this.#message, { columns, rows }));
  }

  #enter(): void {
    const chosen = this.#chosen();
    if (chosen !== undefined) {
      this.#change(take(this.#line, chosen));
      return;
    }
    try {
      const words = splitCommand(this.#line.text);
      this.#end();
      this.#resolve(words[0] === 'burnish' ? words.slice(1) : words);
    } catch (error) {
      if (!(error instanceof UnfinishedQuoteError)) throw error;
      this.#message = error.message;
    }
  }

  #tab(key: Key): void {
    const [only, ...others] = this.#menu.candidates;
    if (only !== undefined && others.length === 0) this.#change(take(this.#line, only));
    else this.#menu = choose(this.#menu, key.shift === true ? -1 : 1);
  }

  #chosen(): Candidate | undefined {
    const { candidates: offered, chosen } = this.#menu;
    return chosen === undefined ? undefined : offered[chosen];
  }

  #change(line: Line | undefined): void {
    if (line === undefined) return;
    this.#line = line;
    this.#menu = { ...this.#menu, chosen: undefined };
    this.#lookUp();
  }

  #lookUp(): void {
    const version = ++this.#version;
    const words = wordsAtCursor(this.#line);
    const current = words.at(-1) ?? '';
    this.#lookedUp = candidates(words, this.#namesFor(words.slice(0, -1))).then(
      (all) => {
        if (version !== this.#version) return;
        this.#menu = { candidates: matching(all, current), chosen: undefined };
        this.draw();
      },
      (error: Error) => {
        this.#end();
        this.#reject(error);
      },
    );
  }

  /** The same words lead to the same service, so what it said is kept. */
  #namesFor(words: readonly string[]): ServiceNames {
    const key = JSON.stringify(words);
    const known = this.#names.get(key) ?? serviceNames(words);
    this.#names.set(key, known);
    return known;
  }

  #end(): void {
    this.#isOver = true;
    this.screen.write(drawFinal(this.#line));
  }
}
