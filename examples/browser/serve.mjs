// Serves the page and one compiled model to a browser on this machine:
//   node examples/browser/serve.mjs FOLDER [PORT]
// FOLDER is the result of a compilation with OPTION_COMPILE_LAYOUT=transformers_js.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, extname, join, normalize, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

const PAGE = dirname(fileURLToPath(import.meta.url));
const TRANSFORMERS = dirname(createRequire(import.meta.url).resolve('@huggingface/transformers'));
// The version of ONNX Runtime Web that Transformers.js was built with, not the project's own.
const ONNX_RUNTIME = dirname(
  createRequire(join(TRANSFORMERS, 'transformers.js')).resolve('onnxruntime-web'),
);

const CONTENT_TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
};

/** With these a page may share memory between threads, which ONNX Runtime needs to use more than one. */
const ISOLATION = {
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-opener-policy': 'same-origin',
};

/**
 * @param model the folder of the compiled model
 * @param port 0 for any free one
 * @returns the server and the page's URL
 */
export async function serveModel(model, port = 0) {
  const folders = {
    model: resolve(model),
    onnxruntime: ONNX_RUNTIME,
    transformers: TRANSFORMERS,
  };
  const server = createServer((request, response) => {
    answer(folders, request, response).catch((error) => response.destroy(error));
  });
  await new Promise((listening, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', listening);
  });
  return { server, url: `http://127.0.0.1:${server.address().port}/` };
}

async function answer(folders, request, response) {
  const file = fileOf(folders, request.url ?? '/');
  const found = file === undefined ? undefined : await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('There is no such file.\n');
    return;
  }
  response.writeHead(200, {
    ...ISOLATION,
    'content-type': CONTENT_TYPES[extname(file)] ?? 'application/octet-stream',
    'content-length': found.size,
  });
  if (request.method === 'HEAD') response.end();
  else await pipeline(createReadStream(file), response);
}

/** Which file a request names; undefined for one outside the folders that are served. */
function fileOf(folders, url) {
  let path;
  try {
    path = decodeURIComponent(new URL(url, 'http://page').pathname);
  } catch {
    return undefined;
  }
  const [first, ...rest] = path.slice(1).split('/');
  const root = folders[first];
  if (root === undefined) return within(PAGE, path === '/' ? 'index.html' : path);
  return within(root, rest.join('/'));
}

function within(folder, path) {
  const file = join(folder, normalize(path));
  return file.startsWith(folder + sep) && !path.includes('\0') ? file : undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, port = '8080'] = process.argv.slice(2);
  if (folder === undefined) {
    console.error('usage: node examples/browser/serve.mjs FOLDER [PORT]');
    process.exit(2);
  }
  const { url } = await serveModel(folder, Number(port));
  console.log(`The page is at ${url}`);
}
