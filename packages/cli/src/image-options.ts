import type { ImageOptions } from "@sandboxlib/image";
import { CliError } from "./cli-error.js";
import { type CommandLine, valueOf } from "./command-line.js";
import { hostPath } from "./host-path.js";
import { bytes } from "./number.js";
import type { OptionName } from "./option-name.js";

/** The options that only an image has a use for. */
const ONLY_IMAGES: readonly OptionName[] = [
  "volume",
  "digest",
  "platform",
  "tag",
  "images",
  "max-size",
];

/** How the image of a command line is to be opened. @throws CliError */
export function imageOptions(line: CommandLine): ImageOptions {
  const images = valueOf(line, "images");
  const maxSize = valueOf(line, "max-size");
  const volumes = (line.options.get("volume") ?? []).map(volume);
  return {
    digest: valueOf(line, "digest"),
    platform: valueOf(line, "platform"),
    tag: valueOf(line, "tag"),
    degrade: line.options.has("degrade"),
    ...(images !== undefined && { images: hostPath(images) }),
    ...(maxSize !== undefined && { maxSize: bytes("--max-size: SIZE", maxSize) }),
    ...(volumes.length > 0 && { volumes: Object.fromEntries(volumes) }),
  };
}

/** @throws CliError for one that was given to a root that is a directory. */
export function assertNoImageOptions(line: CommandLine): void {
  const name = ONLY_IMAGES.find((option) => line.options.has(option));
  if (name !== undefined) throw new CliError(`--${name}: ROOT is no image`);
}

function volume(text: string): [string, { source: string; readOnly: boolean }] {
  const [, name, path, readOnly] = /^([a-z0-9-]+)=(.+?)(:ro)?$/s.exec(text) ?? [];
  if (name !== undefined && path !== undefined)
    return [name, { source: hostPath(path), readOnly: readOnly !== undefined }];
  throw new CliError(`--volume: ${JSON.stringify(text)} is not NAME=PATH[:ro]`);
}
