import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import { aptGet, withLists } from "./apt.mjs";

const META = "linux-image-cloud-amd64";

/** Downloads Debian's cloud kernel and unpacks it; it can read its root from NVMe and ext4 without modules. */
export function fetchKernel(directory) {
  const at = join(directory, "kernel");
  mkdirSync(at);
  withLists(() => aptGet(["download", nameOf(META)], { cwd: at }));
  const [file] = readdirSync(at);
  execaSync("dpkg", ["-x", join(at, file), at]);
  const [name] = readdirSync(join(at, "boot")).filter((each) => each.startsWith("vmlinuz-"));
  return join(at, "boot", name);
}

/** The package that the meta package stands for just now. */
function nameOf(meta) {
  const { stdout } = execaSync("apt-cache", ["depends", meta]);
  const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
  if (name === undefined) throw new Error(`${meta} stands for no package`);
  return name;
}
