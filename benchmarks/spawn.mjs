import { spawn } from "node:child_process";

/** What a program without a library does: start the tool, collect what it writes, wait until all is closed. */
export function bare([program, ...args], env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, cwd: "/", stdio: ["ignore", "pipe", "pipe"] });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${program} ended with ${code}: ${Buffer.concat(chunks).toString()}`));
    });
  });
}
