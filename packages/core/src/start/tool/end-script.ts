import { SandboxError } from "../../result/error.js";

/**
 * The command that ends what a tool has started elsewhere, as a script for this process and its watchdog, which is a shell.
 *
 * @throws SandboxError `BACKEND_INVALID` for a variable that no shell can set.
 */
export function endScript(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  backend: string,
): string {
  const odd = Object.keys(env).find((name) => !/^[A-Za-z_]\w*$/.test(name));
  if (odd !== undefined) {
    const message = `the backend ${backend} gave its tool the variable ${JSON.stringify(odd)}, with which its \`end\` cannot be run`;
    throw new SandboxError("BACKEND_INVALID", message, { backend, hint: "Tell its author." });
  }
  const variables = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
  return `cd /\n${variables.join("")}${EXEC}${argv.map(quoted).join(" ")}\n`;
}

const EXEC = "exec ";

/** The command in a script, for people. */
export function commandIn(script: string): string {
  return script.slice(script.lastIndexOf(`\n${EXEC}`) + EXEC.length + 1).trimEnd();
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
