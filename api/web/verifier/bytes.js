// The lexical parts that the formats share: base64, decimals, UTF-8. Strict: one spelling each. Each function returns
// null for anything else, so that the caller can say what was wrong with what.

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @param {string} text */
export function utf8(text) {
  return encoder.encode(text);
}

/**
 * The text that the bytes spell; null where they are not UTF-8.
 *
 * @param {Uint8Array} bytes
 */
export function readUtf8(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/**
 * Standard base64 with padding (RFC 4648 section 4).
 *
 * @param {Uint8Array} bytes
 */
export function writeBase64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/**
 * The bytes of standard base64. Writing them again and comparing refuses missing padding, spaces and stray bits.
 *
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer> | null}
 */
export function readBase64(text) {
  let binary;
  try {
    binary = atob(text);
  } catch {
    return null;
  }
  if (btoa(binary) !== text) return null;
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/**
 * A SHA-256 hash in base64.
 *
 * @param {string} text
 */
export function readHash(text) {
  const bytes = readBase64(text);
  return bytes?.length === 32 ? bytes : null;
}

/** @param {Uint8Array} bytes */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * A decimal without leading zeros, at most 2^53 - 1: no log of ours is longer than JSON can say.
 *
 * @param {string} text
 */
export function readDecimal(text) {
  const value = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(value) ? value : null;
}

/**
 * @param {Uint8Array} one
 * @param {Uint8Array} other
 */
export function equal(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** @param {Uint8Array[]} parts */
export function concatenate(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
