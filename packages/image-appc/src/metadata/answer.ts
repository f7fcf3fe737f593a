import type { Pair } from "../manifest/fields.js";
import type { PodManifest } from "../manifest/pod-manifest.js";
import { type Form, sign, verify } from "./hmac.js";

/** What the metadata service knows of a pod. */
export interface Pod {
  /** A UUID of RFC 4122. */
  readonly uuid: string;
  /** The manifest with its defaults filled in and the ID of every image. */
  readonly manifest: PodManifest;
  /** The images by the names of the apps in the manifest. */
  readonly images: Readonly<Record<string, PodImage>>;
}

/** The image of one app. */
export interface PodImage {
  readonly id: string;
  /** The manifest, byte for byte as it lies in the image. */
  readonly manifest: Uint8Array;
  readonly annotations: readonly Pair[];
}

/** A request to the service, below `acMetadata/v1/`. */
export interface MetadataRequest {
  readonly method: string;
  /** The decoded names in the path. */
  readonly names: readonly string[];
  /** The form that was posted; undefined without a form. */
  readonly form: Form | undefined;
}

/** A response of the service. */
export interface MetadataResponse {
  readonly status: number;
  readonly type?: string;
  readonly body?: string | Uint8Array;
  /** The methods that are allowed, for the status 405. */
  readonly allow?: string;
}

const TEXT = "text/plain; charset=us-ascii";
const JSON_TYPE = "application/json";
const NOT_FOUND: MetadataResponse = { status: 404 };

/** Answers a request about a pod. The response depends on the arguments alone. */
export function respond(
  pod: Pod,
  key: Uint8Array,
  { method, names, form }: MetadataRequest,
): MetadataResponse {
  const path = names.join("/");
  if (path === "pod/hmac/sign" || path === "pod/hmac/verify") {
    if (method !== "POST") return { status: 405, allow: "POST" };
    if (form === undefined) return { status: 415 };
    return path === "pod/hmac/sign" ? signed(pod, key, form) : verified(key, form);
  }
  const found = find(pod, names);
  return found === NOT_FOUND || method === "GET" || method === "HEAD"
    ? found
    : { status: 405, allow: "GET, HEAD" };
}

function find(pod: Pod, [kind, name = "", ...rest]: readonly string[]): MetadataResponse {
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

/**
 * The annotations of an app: those of its image and those of the pod. Where both have a name, the value of the pod
 * counts.
 */
function annotationsOf(pod: Pod, app: string): readonly Pair[] {
  const own = pod.manifest.apps.find(({ name }) => name === app)?.annotations ?? [];
  const merged = new Map<string, string>();
  for (const { name, value } of [...(pod.images[app]?.annotations ?? []), ...own])
    merged.set(name, value);
  return [...merged].map(([name, value]) => ({ name, value }));
}

function ofPod({ manifest, uuid }: Pod, name: string): MetadataResponse {
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

function signed({ uuid }: Pod, key: Uint8Array, form: Form): MetadataResponse {
  const content = only(form, "content");
  if (content === undefined) return { status: 400 };
  return { status: 200, type: TEXT, body: sign(key, uuid, content) };
}

function verified(key: Uint8Array, form: Form): MetadataResponse {
  const [content, uuid, signature] = ["content", "uuid", "signature"].map((name) =>
    only(form, name),
  );
  if (content === undefined || uuid === undefined || signature === undefined)
    return { status: 400 };
  const isRight = verify(key, uuid.toString(), content, signature.toString());
  return { status: isRight ? 200 : 403, type: TEXT, body: "" };
}

/** The value of a field. A field that is there twice is ambiguous, so it counts as missing. */
function only(form: Form, name: string): Buffer | undefined {
  const [value, other] = form.get(name) ?? [];
  return other === undefined ? value : undefined;
}

function json(value: unknown): MetadataResponse {
  return { status: 200, type: JSON_TYPE, body: JSON.stringify(value) };
}
