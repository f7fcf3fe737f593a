import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * Signs a content for a pod. The key is derived from the service's own key and the pod's UUID, so no pod can sign for
 * another.
 */
export function sign(key: Uint8Array, uuid: string, content: Uint8Array): string {
  return digest(key, uuid, content).toString("base64");
}

/** Whether a signature is the one that the pod was given for this content. */
export function verify(
  key: Uint8Array,
  uuid: string,
  content: Uint8Array,
  signature: string,
): boolean {
  const given = Buffer.from(signature, "base64");
  const right = digest(key, uuid, content);
  return given.length === right.length && timingSafeEqual(given, right);
}

/** Computes the HMAC of RFC 2104 with SHA-512. */
function digest(key: Uint8Array, uuid: string, content: Uint8Array): Buffer {
  const podKey = createHmac("sha512", key).update(uuid.toLowerCase()).digest();
  return createHmac("sha512", podKey).update(content).digest();
}

/** A form that was posted: the values of each field, in bytes. */
export type Form = ReadonlyMap<string, readonly Buffer[]>;

/**
 * Reads `application/x-www-form-urlencoded`. Values stay bytes: decoded as UTF-8, two contents that are not UTF-8 could
 * become the same text, and so get the same signature.
 */
export function formOf(body: Buffer): Form {
  const form = new Map<string, Buffer[]>();
  for (const pair of body.toString("latin1").split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const [name, value] = at === -1 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
    const field = bytesOf(name).toString("latin1");
    form.set(field, [...(form.get(field) ?? []), bytesOf(value)]);
  }
  return form;
}

function bytesOf(text: string): Buffer {
  const plain = text
    .replaceAll("+", " ")
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(plain, "latin1");
}
