import { createHmac, timingSafeEqual } from "node:crypto";

/** Signs a content for a pod. The key is made of the service's own and the pod's UUID, so no pod can sign for another. */
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

/** RFC 2104 with SHA-512. */
function digest(key: Uint8Array, uuid: string, content: Uint8Array): Buffer {
  const podKey = createHmac("sha512", key).update(uuid.toLowerCase()).digest();
  return createHmac("sha512", podKey).update(content).digest();
}
