import { spawn } from "node:child_process";
import { SandboxManager } from "@anthropic-ai/sandbox-runtime";

/** As its README does it: initialised once, then each command is wrapped and given to a shell. */
export async function start() {
  const { errors } = SandboxManager.checkDependencies();
  if (errors.length > 0) throw new Error(errors.join("; "));
  await SandboxManager.initialize({
    network: { allowedDomains: [], deniedDomains: [] },
    filesystem: { denyRead: [], allowWrite: ["/tmp"], denyWrite: [] },
  });
  return { run, close: () => SandboxManager.reset() };
}

async function run(argv) {
  await shell(await SandboxManager.wrapWithSandbox(argv.join(" ")));
  SandboxManager.cleanupAfterCommand();
}

function shell(command) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, { shell: true, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.resume();
    child.stderr.resume();
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`ended with ${code}`))));
  });
}
