import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { removeTree } from "../cache/remove-tree.js";

/** Removes everything from a tree but the given paths, which are absolute inside, and the directories above them. */
export function keepOnly(root: string, paths: readonly string[]): void {
  const kept = new Set<string>();
  for (const path of paths) {
    let above = "";
    for (const name of path.split("/").filter((part) => part !== "" && part !== ".")) {
      above = `${above}/${name}`;
      kept.add(above);
    }
  }
  prune(root, "", kept);
}

function prune(root: string, directory: string, kept: ReadonlySet<string>): void {
  for (const name of readdirSync(join(root, directory))) {
    const path = `${directory}/${name}`;
    const at = join(root, path);
    if (!kept.has(path)) removeTree(at);
    else if (lstatSync(at).isDirectory()) prune(root, path, kept);
  }
}
