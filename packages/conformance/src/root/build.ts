import { chmodSync, copyFileSync, linkSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execaSync } from "execa";
import { type Recipe, toolPath } from "./recipe.js";

/** The directories of every root, mount points for the cases among them. */
const DIRECTORIES = [
  "bin",
  "data",
  "data/deep",
  "database",
  "dev",
  "etc",
  "mnt",
  "mnt/other",
  "opt",
  "proc",
  "run",
  "secret",
  "secret/deep",
  "tmp",
  "usr",
  "usr/bin",
  "work",
  "work/a b",
];

/** The files of every root, and what they hold. */
const FILES = {
  // Stands in for the device where the backend has no /dev of its own: shells open it for background jobs.
  "dev/null": "",
  "data/file": "data\n",
  "data/deep/file": "deep\n",
  "database/file": "database\n",
  "etc/motd": "the root of the kit\n",
  "mnt/file": "",
  "secret/deep/key": "top secret\n",
  "secret/key": "top secret\n",
  "secret.txt": "top secret\n",
};

/** Builds a throw-away root in a new directory. Needs no privileges. */
export function buildRoot(directory: string, { files }: Recipe): void {
  mkdir(directory);
  for (const path of DIRECTORIES) mkdir(join(directory, path));
  for (const [path, text] of Object.entries(FILES)) {
    writeFileSync(join(directory, path), text);
    chmodSync(join(directory, path), path === "dev/null" ? 0o666 : 0o644);
  }
  const copies = new Map<string, string>();
  for (const [path, source] of files) {
    const target = join(directory, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    const copy = copies.get(source);
    if (copy !== undefined) {
      linkSync(copy, target);
      continue;
    }
    copyFileSync(source, target);
    chmodSync(target, 0o755);
    copies.set(source, target);
  }
}

/** Throws when programs cannot be executed in the directory at all, such as on a noexec mount. */
export function assertExecutable(root: string): void {
  const shell = join(root, toolPath("sh"));
  const { failed, shortMessage } = execaSync(shell, ["-c", ":"], {
    extendEnv: false,
    reject: false,
  });
  if (failed) throw new Error(`nothing can be executed in ${root}: ${shortMessage}`);
}

/** Sets the mode whatever the umask is, because a backend may run the program under another uid. */
function mkdir(path: string): void {
  mkdirSync(path);
  chmodSync(path, path.endsWith("/tmp") ? 0o1777 : 0o755);
}
