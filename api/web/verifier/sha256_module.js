// SHA-256 (FIPS 180-4) of four messages at once, as a WebAssembly module that is put together here: each of the four
// lanes of a 128-bit register (fixed-width SIMD, WebAssembly 2.0) works on a message of its own. Most of a log's hashes
// are over messages of one length, the leaves and the nodes of its tree, so nearly all lanes are used.
//
// The functions below write code; an instruction stands behind its operands.

/** Bytes, in as many brackets as it was put together with.
 *
 * @typedef {import("./code.d.ts").Code} Code
 */

const ROUND_CONSTANTS = [
  ...[0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5],
  ...[0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174],
  ...[0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da],
  ...[0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967],
  ...[0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85],
  ...[0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070],
  ...[0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3],
  ...[0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2],
];
const INITIAL = [
  ...[0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19],
];
export const LANES = 4;
const BLOCK = 64;
const DIGEST = 32;

/** Bytes of a word in each of four lanes. */
const WIDE = 4 * LANES;
const ROUNDS = ROUND_CONSTANTS.length;
/** The memory begins with the message schedule of a block and with the round constants, a word in all lanes each. */
const SCHEDULE = 0;
const CONSTANTS = SCHEDULE + WIDE * ROUNDS;
/** What is hashed may lie from here. */
export const FREE = CONSTANTS + WIDE * ROUNDS;

// Types, and the locals of the one function: its four parameters, two counters, then vectors.
const I32 = 0x7f;
const V128 = 0x7b;
const [MESSAGES, COUNT, BLOCKS, DIGESTS, LEFT, AT] = [0, 1, 2, 3, 4, 5];
/** The hash values between blocks. */
const HASH = [6, 7, 8, 9, 10, 11, 12, 13];
/** The working variables a to h. */
const WORKING = [14, 15, 16, 17, 18, 19, 20, 21];
const VECTORS = HASH.length + WORKING.length;

/**
 * LEB128, signed; for what is not negative and below 64 also the unsigned form.
 *
 * @param {number} value
 * @returns {Code}
 */
function signed(value) {
  const low = value & 0x7f;
  const rest = value >> 7;
  const last = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
  return last ? [low] : [low | 0x80, signed(rest)];
}

/**
 * @param {number} value
 * @returns {Code}
 */
function unsigned(value) {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, unsigned(value >>> 7)];
}

/** @typedef {(one: Code, other: Code) => Code} Operation */

/** local.get. @type {(local: number) => Code} */
const get = (local) => [0x20, local];
/** local.set. @type {(local: number, value: Code) => Code} */
const set = (local, value) => [value, 0x21, local];
/** i32.const. @type {(value: number) => Code} */
const number = (value) => [0x41, signed(value | 0)];
/** i32.add. @type {Operation} */
const plus = (one, other) => [one, other, 0x6a];
/** i32.mul. @type {Operation} */
const times = (one, other) => [one, other, 0x6c];
/** loop … br_if 0 end. @type {(body: Code) => Code} whose end says whether it is to be done again */
const repeat = (body) => [0x03, 0x40, body, 0x0d, 0, 0x0b];

/** i32x4.splat. @type {(word: number) => Code} in all four lanes */
const splat = (word) => [number(word), 0xfd, 0x11];
/** i32x4.add. @type {(first: Code, ...terms: Code[]) => Code} */
const sum = (first, ...terms) => [first, terms.map((term) => [term, 0xfd, 0xae, 0x01])];
/** v128.xor. @type {(first: Code, ...terms: Code[]) => Code} */
const xor = (first, ...terms) => [first, terms.map((term) => [term, 0xfd, 0x51])];
/** v128.bitselect. @type {(ones: Code, zeros: Code, mask: Code) => Code} bits of `ones` where the mask has 1 */
const select = (ones, zeros, mask) => [ones, zeros, mask, 0xfd, 0x52];
/** i32x4.shr_u. @type {(word: Code, bits: number) => Code} */
const shift = (word, bits) => [word, number(bits), 0xfd, 0xad, 0x01];
/** and i32x4.shl, v128.or. @type {(word: Code, bits: number) => Code} */
const rotate = (word, bits) => [shift(word, bits), word, number(32 - bits), 0xfd, 0xab, 0x01, 0xfd, 0x50];
/** For each byte of four words, which byte comes there: the other order. */
const SWAPPED = Array.from({ length: WIDE }, (_, at) => at - (at % 4) + (3 - (at % 4)));
/** v128.const, i8x16.swizzle. @type {(words: Code) => Code} */
const swap = (words) => [words, 0xfd, 0x0c, SWAPPED, 0xfd, 0x0e];
/** v128.load. @type {(address: Code, offset: number) => Code} */
const load = (address, offset) => [address, 0xfd, 0x00, 4, unsigned(offset)];
/** v128.store. @type {(address: Code, offset: number, value: Code) => Code} */
const store = (address, offset, value) => [address, value, 0xfd, 0x0b, 4, unsigned(offset)];
/** v128.load32_lane. @type {(address: Code, offset: number, lane: number, into: Code) => Code} */
const loadLane = (address, offset, lane, into) => [address, into, 0xfd, 0x56, 2, unsigned(offset), lane];
/** v128.store32_lane. @type {(address: Code, offset: number, lane: number, value: Code) => Code} */
const storeLane = (address, offset, lane, value) => [address, value, 0xfd, 0x5a, 2, unsigned(offset), lane];

/** @type {(lane: number) => Code} */
const messageOf = (lane) => plus(get(MESSAGES), times(get(BLOCKS), number(BLOCK * lane)));

/**
 * Does the steps again and again until AT, which counts in words of all lanes, has gone from one round to the last.
 *
 * @param {number} first
 * @param {number} step
 * @param {Code} body
 * @returns {Code}
 */
const through = (first, step, body) => [
  set(AT, number(WIDE * first)),
  repeat([body, set(AT, plus(get(AT), number(WIDE * step))), get(AT), number(WIDE * ROUNDS), 0x48]),
];

/**
 * FIPS 180-4, section 6.2.2, for one block of each lane.
 *
 * @returns {Code}
 */
function compress() {
  const given = Array.from({ length: 16 }, (_, at) => {
    const lanes = Array.from({ length: LANES }, (_, lane) => lane);
    const words = lanes.reduce((into, lane) => loadLane(messageOf(lane), 4 * at, lane, into), splat(0));
    return store(number(SCHEDULE), WIDE * at, swap(words));
  });
  /** @param {number} back */
  const earlier = (back) => load(plus(get(AT), number(-WIDE * back)), SCHEDULE);
  const large = xor(rotate(earlier(2), 17), rotate(earlier(2), 19), shift(earlier(2), 10));
  const small = xor(rotate(earlier(15), 7), rotate(earlier(15), 18), shift(earlier(15), 3));
  const derived = store(get(AT), SCHEDULE, sum(large, earlier(7), small, earlier(16)));

  const rounds = WORKING.map((_, round) => {
    // The variables keep their places and change their names from round to round; after eight all is as before.
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = WORKING.map(
      (_, name) => WORKING[(name - round + 8) % 8] ?? 0,
    );
    const constant = load(get(AT), CONSTANTS + WIDE * round);
    const word = load(get(AT), SCHEDULE + WIDE * round);
    const sigma1 = xor(rotate(get(e), 6), rotate(get(e), 11), rotate(get(e), 25));
    const sigma0 = xor(rotate(get(a), 2), rotate(get(a), 13), rotate(get(a), 22));
    const choice = select(get(f), get(g), get(e));
    const majority = select(get(c), get(a), xor(get(a), get(b)));
    return [
      set(h, sum(get(h), sigma1, choice, constant, word)),
      set(d, sum(get(d), get(h))),
      set(h, sum(get(h), sigma0, majority)),
    ];
  });
  return [
    given,
    through(16, 1, derived),
    HASH.map((hash, at) => set(WORKING[at] ?? 0, get(hash))),
    through(0, WORKING.length, rounds),
    HASH.map((hash, at) => set(hash, sum(get(hash), get(WORKING[at] ?? 0)))),
  ];
}

/**
 * The code of `hash(messages, count, blocks, digests)`: at `messages` lie, one after the other, padded messages of so
 * many blocks each; their hashes are written to `digests`. Always four at a time: where the count is no multiple of
 * four, what lies behind the messages is hashed as well.
 *
 * @returns {Code}
 */
function body() {
  const eachBlock = [
    compress(),
    set(MESSAGES, plus(get(MESSAGES), number(BLOCK))),
    [set(LEFT, plus(get(LEFT), number(-1))), get(LEFT)],
  ];
  const written = HASH.map((hash, at) => [
    set(hash, swap(get(hash))),
    Array.from({ length: LANES }, (_, lane) => storeLane(get(DIGESTS), DIGEST * lane + 4 * at, lane, get(hash))),
  ]);
  const eachFour = [
    HASH.map((hash, at) => set(hash, splat(INITIAL[at] ?? 0))),
    set(LEFT, get(BLOCKS)),
    repeat(eachBlock),
    written,
    set(DIGESTS, plus(get(DIGESTS), number(LANES * DIGEST))),
    // Each lane has gone through its own message; the first now stands where the second began.
    set(MESSAGES, plus(get(MESSAGES), times(get(BLOCKS), number(BLOCK * (LANES - 1))))),
    set(COUNT, plus(get(COUNT), number(-LANES))),
    [get(COUNT), number(0), 0x4a],
  ];
  return [2, 2, I32, VECTORS, V128, repeat(eachFour), 0x0b];
}

/** The binary of the module: one memory of a page and the one function, both exported. */
function binary() {
  /** @type {(content: Code) => Code} behind its length */
  const sized = (content) => {
    const bytes = flat(content);
    return [unsigned(bytes.length), bytes];
  };
  /** @type {(text: string) => Code} */
  const name = (text) => sized(Array.from(text, (character) => character.charCodeAt(0)));
  return Uint8Array.from(
    flat([
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      [1, sized([1, 0x60, 4, I32, I32, I32, I32, 0])],
      [3, sized([1, 0])],
      [5, sized([1, 0, 1])],
      [7, sized([2, name("memory"), 2, 0, name("hash"), 0, 0])],
      [10, sized([1, sized(body())])],
    ]),
  );
}

/**
 * @param {Code} code
 * @returns {number[]}
 */
function flat(code) {
  return code.flatMap((part) => (typeof part === "number" ? [part] : flat(part)));
}

/**
 * @typedef {{
 *   memory: WebAssembly.Memory,
 *   hash: (messages: number, count: number, blocks: number, digests: number) => void,
 * }} Sha256Module
 */

/**
 * @returns {Promise<Sha256Module>}
 * @throws {WebAssembly.CompileError} where the browser has no SIMD, or lets the page compile nothing
 */
export async function startSha256() {
  const { instance } = await WebAssembly.instantiate(binary());
  const started = /** @type {Sha256Module} */ (/** @type {unknown} */ (instance.exports));
  const constants = new DataView(started.memory.buffer, CONSTANTS);
  ROUND_CONSTANTS.forEach((constant, round) => {
    for (let lane = 0; lane < LANES; lane += 1) constants.setUint32(WIDE * round + 4 * lane, constant, true);
  });
  return started;
}
