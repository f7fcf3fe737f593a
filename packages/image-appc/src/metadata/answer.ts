import type { Form } from "./form.js";
import { annotationsOf, type Pod } from "./pod.js";
import { sign, verify } from "./signature.js";

/** A request to the service, below `acMetadata/v1/`. */
export interface Question {
  readonly method: string;
  /** The decoded names in the path. */
  readonly names: readonly string[];
  /** The form that was posted; undefined without one. */
  readonly form: Form | undefined;
}

/** A response of the service. */
export interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body?: string | Uint8Array;
  /** With 405: the methods that are allowed. */
  readonly allow?: string;
}

const TEXT = "text/plain; charset=us-ascii";
const JSON_TYPE = "application/json";
const NOT_FOUND: Answer = { status: 404 };

/** Answers one question about a pod. Pure. */
export function answer(pod: Pod, key: Uint8Array, { method, names, form }: Question): Answer {
  const path = names.join("/");
  if (path === "pod/hmac/sign" || path === "pod/hmac/verify") {
    if (method !== "POST") return { status: 405, allow: "POST" };
    if (form === undefined) return { status: 415 };
    return path === "pod/hmac/sign" ? signed(pod, key, form) : verified(key, form);
  }
  const found = lookedUp(pod, names);
  return found === NOT_FOUND || method === "GET" || method === "HEAD"
    ? found
    : { status: 405, allow: "GET, HEAD" };
}

function lookedUp(pod: Pod, [kind, name = "", ...rest]: readonly string[]): Answer {
  if (kind === "pod" && rest.length === 0) return ofPod(pod, name);
  if (kind !== "apps" || !Object.hasOwn(pod.images, name)) return NOT_FOUND;
  const image = pod.images[name];
  if (image === undefined) return NOT_FOUND;
  switch (rest.join("/")) {
    case "annotations":
      return json(annotationsOf(pod, name));
    case "image/manifest":
      return { status: 200, type: JSON_TYPE, body: image.manifest };
    case "image/id":
      return { status: 200, type: TEXT, body: image.id };
    default:
      return NOT_FOUND;
  }
}

function ofPod({ manifest, uuid }: Pod, name: string): Answer {
  switch (name) {
    case "annotations":
      return json(manifest.annotations ?? []);
    case "manifest":
      return json(manifest);
    case "uuid":
      return { status: 200, type: TEXT, body: uuid };
    default:
      return NOT_FOUND;
  }
}

function signed({ uuid }: Pod, key: Uint8Array, form: Form): Answer {
  const content = only(form, "content");
  if (content === undefined) return { status: 400 };
  return { status: 200, type: TEXT, body: sign(key, uuid, content) };
}

function verified(key: Uint8Array, form: Form): Answer {
  const [content, uuid, signature] = ["content", "uuid", "signature"].map((name) =>
    only(form, name),
  );
  if (content === undefined || uuid === undefined || signature === undefined)
    return { status: 400 };
  const isRight = verify(key, uuid.toString(), content, signature.toString());
  return { status: isRight ? 200 : 403, type: TEXT, body: "" };
}

/** The value of a field. One that is there twice is ambiguous, so it counts as missing. */
function only(form: Form, name: string): Buffer | undefined {
  const [value, other] = form.get(name) ?? [];
  return other === undefined ? value : undefined;
}

function json(value: unknown): Answer {
  return { status: 200, type: JSON_TYPE, body: JSON.stringify(value) };
}
