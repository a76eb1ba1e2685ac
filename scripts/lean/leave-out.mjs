// Empties functions that the page never calls but that the compiler cannot know to be unused: Leptos keeps a pointer to
// `hydrate_async` for every type of view, for pages that load parts of their WASM later, and ours has one part. Functions inside
// of it stay: the compiler merges them with equal ones that are called. A function that is called after all stops the page,
// which every story in end2end/ would show. usage: leave-out.mjs MODULE (rewritten in place, while it still has its names)
import { readFileSync, writeFileSync } from 'node:fs';

const NEVER_CALLED = /::hydrate_async(::\{\{closure\}\})?::h[0-9a-f]{16}$/;
// No locals, `unreachable`, `end` (WebAssembly Core Specification 2.0, § 5.4 and 5.5.13).
const EMPTY = [3, 0, 0x00, 0x0b];
const SECTION = { custom: 0, import: 2, code: 10 };

const path = process.argv[2];
const bytes = readFileSync(path);
let at = 8;

function number() {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
}

function text() {
  const length = number();
  at += length;
  return bytes.toString('utf8', at - length, at);
}

function encoded(value) {
  const out = [];
  do {
    out.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value = Math.floor(value / 128);
  } while (value > 0);
  return out;
}

/** How many functions are imported: the numbers of the module's own come after them. */
function importedFunctions() {
  let functions = 0;
  for (let left = number(); left > 0; left -= 1) {
    text();
    text();
    const kind = bytes[at++];
    if (kind !== 0) throw new Error(`${path}: imports something other than functions`);
    number();
    functions += 1;
  }
  return functions;
}

/** The names of functions, by number. */
function names(end) {
  const found = new Map();
  if (text() !== 'name') return found;
  while (at < end) {
    const kind = bytes[at++];
    const after = number() + at;
    if (kind === 1) for (let left = number(); left > 0; left -= 1) found.set(number(), text());
    at = after;
  }
  return found;
}

const sections = [];
let imported = 0;
let named = new Map();
while (at < bytes.length) {
  const start = at;
  const kind = bytes[at++];
  const end = number() + at;
  sections.push({ kind, start, content: at, end });
  if (kind === SECTION.import) imported = importedFunctions();
  if (kind === SECTION.custom) named = new Map([...named, ...names(end)]);
  at = end;
}

let emptied = 0;
function leanCode({ content }) {
  at = content;
  const count = number();
  const bodies = [Buffer.from(encoded(count))];
  for (let index = 0; index < count; index += 1) {
    const start = at;
    const length = number();
    at += length;
    const unused = NEVER_CALLED.test(named.get(imported + index) ?? '');
    emptied += unused ? 1 : 0;
    bodies.push(unused ? Buffer.from(EMPTY) : bytes.subarray(start, at));
  }
  const code = Buffer.concat(bodies);
  return Buffer.concat([Buffer.from([SECTION.code, ...encoded(code.length)]), code]);
}

const parts = sections.map((section) => (section.kind === SECTION.code ? leanCode(section) : bytes.subarray(section.start, section.end)));
// A module without names was not meant; one without such functions comes from a Leptos that has changed.
if (emptied === 0) throw new Error(`${path}: no function is named like ${NEVER_CALLED}`);
writeFileSync(path, Buffer.concat([bytes.subarray(0, 8), ...parts]));
