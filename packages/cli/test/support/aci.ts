import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addBusybox } from "@sandboxlib/test-support";

/** An App Container image of busybox, whose app runs as the caller unless the fields say otherwise. */
export function aciOf(directory: string, app: Readonly<Record<string, unknown>>): string {
  const made = mkdtempSync(join(directory, "image-"));
  mkdirSync(join(made, "rootfs/opt/work"), { recursive: true });
  addBusybox(join(made, "rootfs"));
  const ids = { user: String(process.getuid?.()), group: String(process.getgid?.()) };
  const manifest = { acKind: "ImageManifest", acVersion: "0.8.11", name: "example.com/app" };
  writeFileSync(join(made, "manifest"), JSON.stringify({ ...manifest, app: { ...ids, ...app } }));
  const file = join(made, "image.aci");
  execFileSync("tar", ["-C", made, "--owner=0", "--group=0", "-cf", file, "manifest", "rootfs"]);
  return file;
}
