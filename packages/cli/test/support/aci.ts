import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const BUSYBOX = "/usr/bin/busybox";
const APPLETS = ["sh", "cat", "echo", "env", "ls", "pwd", "sleep", "touch", "true"];

/** Why no image can be made here; undefined if one can. */
export const noImages: string | undefined = existsSync(BUSYBOX) ? undefined : `needs ${BUSYBOX}`;

/** An App Container image of busybox, whose app runs as the caller unless the fields say otherwise. */
export function aciOf(directory: string, app: Readonly<Record<string, unknown>>): string {
  const made = mkdtempSync(join(directory, "image-"));
  const bin = join(made, "rootfs/bin");
  for (const path of [bin, join(made, "rootfs/opt/work")]) mkdirSync(path, { recursive: true });
  copyFileSync(BUSYBOX, join(bin, "busybox"));
  for (const name of APPLETS) symlinkSync("busybox", join(bin, name));
  const ids = { user: String(process.getuid?.()), group: String(process.getgid?.()) };
  const manifest = { acKind: "ImageManifest", acVersion: "0.8.11", name: "example.com/app" };
  writeFileSync(join(made, "manifest"), JSON.stringify({ ...manifest, app: { ...ids, ...app } }));
  const file = join(made, "image.aci");
  execFileSync("tar", ["-C", made, "--owner=0", "--group=0", "-cf", file, "manifest", "rootfs"]);
  return file;
}
