import { spawn } from "node:child_process";
import { realHost } from "@sandboxlib/core";
import { invalidImage } from "../invalid.js";

/** Runs a tool of the host. @returns its error message; undefined when it succeeded. */
export function runTool(program: string, args: readonly string[]): Promise<string | undefined> {
  const path = realHost().which(program);
  if (path === undefined) throw invalidImage(`${program}(1) is not installed`);
  return new Promise((resolve) => {
    const child = spawn(path, args, {
      env: { LC_ALL: "C" },
      cwd: "/",
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = said.length > 4096 ? said : said + text;
    });
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code) =>
      resolve(code === 0 ? undefined : (said.split("\n", 1)[0] ?? "") || `exit status ${code}`),
    );
  });
}
