import {
  checkKind,
  checkKinds,
  fieldPath,
  invalidOption,
  KINDS,
  type Kind,
} from "@sandboxlib/core/internal";
import { type ImageOptions, isObject, LAST_ID } from "./image.js";

/** @throws SandboxError `CONFIG_INVALID` for what is no path, and for an option that there is not or that is wrong. */
export function checkImageOptions(path: string, options: ImageOptions): void {
  checkKind("path", path, KINDS.path);
  checkKinds<ImageOptions>(options, OPTIONS);
  for (const [name, volume] of Object.entries<unknown>(options.volumes ?? {})) {
    if (isVolume(volume)) continue;
    const what = "a volume is { source, readOnly }: a path, and true or false";
    throw invalidOption(fieldPath(["volumes", name]), what);
  }
}

const OPTIONS: Readonly<Record<keyof ImageOptions, Kind>> = {
  digest: KINDS.text,
  platform: KINDS.text,
  tag: KINDS.text,
  images: KINDS.path,
  volumes: { accepts: isObject, not: "is no object with a volume for each name" },
  metadataUrl: { ...KINDS.text, isSecret: true },
  user: { accepts: isUser, not: "is no { uid, gid }" },
  degrade: KINDS.flag,
  maxSize: KINDS.bytes,
  signal: KINDS.signal,
  onProgress: KINDS.function,
  onWait: KINDS.function,
};

function isVolume(value: unknown): boolean {
  return (
    isObject(value) && KINDS.path.accepts(value["source"]) && KINDS.flag.accepts(value["readOnly"])
  );
}

function isUser(value: unknown): boolean {
  return isObject(value) && [value["uid"], value["gid"]].every(isId);
}

function isId(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= LAST_ID;
}
