/** A process that does one thing with one graph, so that its memory is its own: reads a task from its
 * standard input and writes what came of it to its standard output, both JSON. */
import { text } from 'node:stream/consumers';
import type { GraphTask } from './graph-task.js';
import { measureGraph } from './measure-graph.js';
import { optimizeGraph } from './optimize-graph.js';

try {
  const task = JSON.parse(await text(process.stdin)) as GraphTask;
  const result = task.kind === 'measure' ? await measureGraph(task) : await optimizeGraph(task);
  process.stdout.write(JSON.stringify({ result: result ?? null }));
} catch (error) {
  process.stdout.write(JSON.stringify({ error: (error as Error).message }));
}
