import { fieldError } from "./errors.js";

/** The most bytes of a manifest. */
export const MOST_BYTES: number = 4 * 1024 * 1024;
/** The most levels of lists and objects. */
const MOST_DEPTH = 32;

/**
 * Reads JSON that is not trusted.
 *
 * @param name - How errors call it.
 * @throws SandboxError `IMAGE_INVALID` when it is too large or too deep, is no UTF-8 or no JSON, or has a key `__proto__`.
 */
export function readJson(bytes: Uint8Array, name: string): unknown {
  if (bytes.byteLength > MOST_BYTES)
    throw fieldError(name, `${bytes.byteLength} bytes, and ${MOST_BYTES} is the most`);
  // Parsing a million levels takes seconds, so this is checked first.
  if (isDeep(bytes)) throw fieldError(name, `is more than ${MOST_DEPTH} levels deep`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    // The message of the parser would quote the text with its control characters.
    throw fieldError(name, "is not JSON in UTF-8");
  }
  refuseProtoKeys(value, name);
  return value;
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

function isDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  let isText = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) isText = !isText;
    else if (isText && byte === BACKSLASH) at += 1;
    else if (!isText && OPENING.has(byte)) depth += 1;
    else if (!isText && CLOSING.has(byte)) depth -= 1;
    if (depth > MOST_DEPTH) return true;
  }
  return false;
}

/** Refuses a key that zod would leave out without an error. */
function refuseProtoKeys(value: unknown, name: string): void {
  if (typeof value !== "object" || value === null) return;
  if (Object.hasOwn(value, "__proto__")) throw fieldError(name, "has a key __proto__");
  for (const inner of Object.values(value)) refuseProtoKeys(inner, name);
}
