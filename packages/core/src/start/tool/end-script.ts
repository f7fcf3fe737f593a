import { broken } from "../../backend/broken.js";

/**
 * The command that ends what a tool has started elsewhere, as a script for this process and its watchdog, which is a shell.
 *
 * @throws SandboxError `BACKEND_INVALID` for a variable that no shell can set.
 */
export function endScript(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  backend: string,
  path: string | undefined,
): string {
  const odd = Object.keys(env).find((name) => !/^[A-Za-z_]\w*$/.test(name));
  if (odd !== undefined) {
    const name = JSON.stringify(odd);
    throw broken(
      backend,
      `its tool gets the variable ${name}, with which its \`end\` cannot be run`,
    );
  }
  const variables = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
  const check = path === undefined ? "" : `[ -e ${quoted(path)} ] || exit 0\n`;
  return `cd /\n${check}${variables.join("")}${EXEC}${argv.map(quoted).join(" ")}\n`;
}

const EXEC = "exec ";

/** The command in a script, for people. */
export function commandIn(script: string): string {
  return script.slice(script.lastIndexOf(`\n${EXEC}`) + EXEC.length + 1).trimEnd();
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
