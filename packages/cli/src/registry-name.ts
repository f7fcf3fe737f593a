import { existsSync } from "node:fs";
import { CliError } from "./errors.js";

/**
 * Refuses the name of an image in a registry, as engines of containers take it, and says how to get the image. Something of
 * this name on the host is meant before anything in a registry.
 *
 * @throws CliError
 */
export function assertNoRegistryName(root: string | undefined): void {
  if (root === undefined || existsSync(root)) return;
  const [, scheme, rest = ""] = /^([a-z][a-z-]*):(?:\/\/)?(.*)$/.exec(root) ?? [];
  const isTransport = scheme !== undefined && TRANSPORTS.includes(scheme) && rest !== "";
  if (!isTransport && !isName(root)) return;
  const from =
    scheme === "docker-daemon" || scheme === "containers-storage"
      ? `${scheme}:${rest}`
      : `docker://${isTransport ? rest : root}`;
  const to = localName(isTransport ? rest : root);
  throw new CliError(`${JSON.stringify(root)}: is an image of a registry, and not a file`, {
    hint: `\`skopeo copy ${from} oci:${to}\` gets it. Then run \`run-sandbox ${to} COMMAND\`.`,
  });
}

/** The words before an image's name with which skopeo and others say where it is. */
const TRANSPORTS = ["docker", "docker-daemon", "containers-storage"];

/** Whether a word is a name with a tag or digest, or begins with the name of a host. */
function isName(word: string): boolean {
  const [, path = "", tag, digest] =
    /^([\w.-]+(?::\d+(?=\/))?(?:\/[\w.-]+)*?)(:[\w][\w.-]*)?(@sha256:[0-9a-f]{64})?$/.exec(word) ??
    [];
  if (path === "" || path.startsWith(".")) return false;
  const isOnHost = /^([\w-]+(\.[\w-]+)+|localhost)(:\d+)?\/./.test(path);
  return tag !== undefined || digest !== undefined || isOnHost;
}

/** A name for the directory of an image: the last part of the image's own, without its tag. */
function localName(name: string): string {
  const last = name.replace(/@.*$/, "").split("/").at(-1) ?? "";
  return last.replace(/:.*$/, "") || "image";
}
