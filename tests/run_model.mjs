// Calls a model in onnxruntime-node or onnxruntime-web: node run_model.mjs PACKAGE MODULES < REQUEST > RESULT
//
// PACKAGE is the npm package, MODULES the node_modules folder that holds it. The request is {"model": FILE, "calls": [{NAME: TENSOR}]}, with the inputs
// of each call; the result is {"version": .., "seconds": .., "results": [{NAME: TENSOR}]}, with its outputs. A TENSOR is {"type": "float64" or "int64",
// "dims": [..], "bytes": BASE64}: bytes, because JSON has neither NaN nor 64-bit integers.
import { readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const ARRAYS = { float64: Float64Array, int64: BigInt64Array };
const [name, modules] = process.argv.slice(2);
const ort = createRequire(resolve(modules, 'package.json'))(name);
if (name === 'onnxruntime-web') ort.env.wasm.numThreads = 1;
const providers = { 'onnxruntime-node': 'cpu', 'onnxruntime-web': 'wasm' };

function tensorOf({ type, dims, bytes }) {
  const raw = Uint8Array.from(Buffer.from(bytes, 'base64')); // a copy: what Buffer makes may not be aligned
  return new ort.Tensor(type, new ARRAYS[type](raw.buffer), dims);
}

function textOf({ type, dims, data }) {
  return { type, dims, bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64') };
}

function map(object, convert) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, convert(value)]));
}

function write(text) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at);
}

const request = JSON.parse(readFileSync(0, 'utf8'));
const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(request.model)), { executionProviders: [providers[name]] });
const start = performance.now();
const results = [];
for (const inputs of request.calls) results.push(map(await session.run(map(inputs, tensorOf)), textOf));
const seconds = (performance.now() - start) / 1000;
write(JSON.stringify({ version: ort.env.versions[name.replace('onnxruntime-', '')], seconds, results }));
process.exit(0); // WASM's worker threads would keep the process
