import type { CommandName } from "./commands.js";

/** Where to read on. */
export function see(command: CommandName): string {
  return `See \`sandboxlib ${command} --help\`.`;
}
