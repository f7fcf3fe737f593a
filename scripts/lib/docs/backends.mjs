import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { allCapabilities } from "@sandboxlib/core";
import { capabilitiesOf } from "@sandboxlib/core/backend";

/** What each `packages/backend-*` exports: its default backend first, then variants of it under names of their own. */
export async function workspaceBackends(root) {
  const directories = readdirSync(join(root, "packages"))
    .filter((name) => name.startsWith("backend-"))
    .sort()
    .map((name) => join(root, "packages", name));
  return (await Promise.all(directories.map(backendsOf))).flat();
}

async function backendsOf(directory) {
  const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  const exports = await import(pathToFileURL(join(directory, manifest.exports["."].default)).href);
  return Object.entries(exports)
    .filter(([, value]) => value?.apiVersion === 1)
    .sort(([a], [b]) => Number(b === "default") - Number(a === "default"))
    .map(([name, backend]) => ({
      backend,
      directory,
      manifest,
      isDefault: name === "default",
      label: name === "default" ? backend.name : `${backend.name} (\`${name}\`)`,
      lacks: allCapabilities().filter((word) => !capabilitiesOf(backend).has(word)),
    }));
}
