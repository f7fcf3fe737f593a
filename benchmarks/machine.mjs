import { readFileSync } from "node:fs";
import { availableParallelism, release } from "node:os";
import { realHost } from "@sandboxlib/core/backend";

const TOOLS = ["bwrap", "nsjail", "unshare", "crun", "runc"];
const RIVALS = ["@anthropic-ai/sandbox-runtime", "@microsoft/mxc-sdk"];

/** What the figures depend on beside the code, and nothing that tells one machine of its kind from another. */
export async function machine() {
  const versions = await Promise.all(TOOLS.map(toolVersion));
  return {
    cores: availableParallelism(),
    kernel: /^[\d.]+/.exec(release())[0],
    node: process.version,
    root: process.getuid() === 0,
    versions: Object.fromEntries([...versions, ...RIVALS.map(packageVersion)].filter(Boolean)),
  };
}

/** The same as a sentence. */
export function machineLine({ cores, kernel, node, root, versions }) {
  const tools = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `Machine: ${cores} cores, Linux ${kernel}, Node ${node.slice(1)}, ${root ? "as root" : "not as root"}; ${tools.join(", ")}.`;
}

async function toolVersion(program) {
  const path = realHost().which(program);
  if (path === undefined) return undefined;
  const { stdout } = await realHost().run([path, "--version"]);
  const found = /\d+(\.\d+)+/.exec(stdout);
  return found === null ? undefined : [program, found[0]];
}

function packageVersion(name) {
  try {
    const manifest = new URL(`rivals/node_modules/${name}/package.json`, import.meta.url);
    return [name, JSON.parse(readFileSync(manifest, "utf8")).version];
  } catch {
    return undefined; // Not installed.
  }
}
