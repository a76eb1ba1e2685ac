// Empties functions that the page never calls but that the compiler cannot know to be unused: Leptos keeps a pointer to
// `hydrate_async` for every type of view, for pages that load parts of their WASM later, and ours has one part. Functions inside
// of it stay: the compiler merges them with equal ones that are called. A function that is called after all stops the page,
// which every story in end2end/ would show. And of the places that panics name it keeps those in our
// sources: of a panic in a library the page's console has the message. usage: leave-out.mjs MODULE (rewritten in place, while it still has its names)
import { readFileSync, writeFileSync } from 'node:fs';

const NEVER_CALLED = /::hydrate_async(::\{\{closure\}\})?::h[0-9a-f]{16}$/;
// No locals, `unreachable`, `end` (WebAssembly Core Specification 2.0, § 5.4 and 5.5.13).
const EMPTY = [3, 0, 0x00, 0x0b];
const SECTION = { custom: 0, import: 2, code: 10, data: 11 };

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

/** Where the module's data begins in memory and where it stands in the file. */
function segments({ content }) {
  at = content;
  const found = [];
  for (let left = number(); left > 0; left -= 1) {
    // Active, at a constant address (§ 5.5.14): the linker writes no others without threads.
    if (number() !== 0 || bytes[at++] !== 0x41) throw new Error(`${path}: data of another kind`);
    const address = number();
    at += 1;
    const length = number();
    found.push({ address, start: at, length });
    at += length;
  }
  return found;
}

/** What panics name instead of a place in a library. */
const LIBRARY = 'library';

/** Makes each `core::panic::Location` (address and length of a path, line, column) whose path is absolute the same. */
function leanData(section) {
  const all = segments(section);
  const inFile = (address) => {
    const home = all.find((segment) => address >= segment.address && address < segment.address + segment.length);
    return home && address - home.address + home.start;
  };
  const paths = new Map();
  const places = [];
  for (const segment of all) {
    const first = segment.start + ((4 - (segment.address % 4)) % 4);
    for (let place = first; place + 16 <= segment.start + segment.length; place += 4) {
      const length = bytes.readUInt32LE(place + 4);
      if (length < LIBRARY.length || length > 400) continue;
      const start = inFile(bytes.readUInt32LE(place));
      if (start === undefined || bytes[start] !== 0x2f || bytes[start + length] !== 0) continue;
      if (!/^[\w.+@/-]+\.rs$/.test(bytes.toString('latin1', start, start + length))) continue;
      paths.set(start, length);
      places.push(place);
    }
  }
  for (const [start, length] of paths) bytes.fill(0, start, start + length);
  const [kept] = paths.keys();
  if (kept === undefined) return 0;
  bytes.write(LIBRARY, kept, 'latin1');
  const home = all.find((segment) => kept >= segment.start && kept < segment.start + segment.length);
  for (const place of places) {
    // Not of zeros, where the data would be taken apart.
    [kept - home.start + home.address, LIBRARY.length, 1, 1].forEach((value, index) => bytes.writeUInt32LE(value, place + 4 * index));
  }
  return places.length;
}

const places = sections.filter((section) => section.kind === SECTION.data).reduce((sum, section) => sum + leanData(section), 0);
const parts = sections.map((section) => (section.kind === SECTION.code ? leanCode(section) : bytes.subarray(section.start, section.end)));
// A module without names was not meant; one without such functions comes from a Leptos that has changed.
if (places === 0) throw new Error(`${path}: no place in a source is written as expected`);
if (emptied === 0) throw new Error(`${path}: no function is named like ${NEVER_CALLED}`);
writeFileSync(path, Buffer.concat([bytes.subarray(0, 8), ...parts]));
