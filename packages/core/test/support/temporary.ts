import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** A tree of files: a string is a file, an object a directory, `{ link }` a symlink. */
export interface Tree {
  readonly [name: string]: string | Tree | { readonly link: string };
}

/** Makes a directory for the test that calls it, and removes it with the test. Returns its real path. */
export function temporary(tree: Tree = {}): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "sandboxlib-core-")));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  plant(directory, tree);
  return directory;
}

/** Writes a tree of files into a directory. */
export function plant(directory: string, tree: Tree): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, content] of Object.entries(tree)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    if (typeof content === "string") writeFileSync(path, content);
    else if (typeof content["link"] === "string") symlinkSync(content["link"], path);
    else plant(path, content as Tree);
  }
}
