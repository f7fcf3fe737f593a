import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commandNames } from "../src/commands.js";
import { bashCompletion } from "../src/completion/bash.js";
import { fishCompletion } from "../src/completion/fish.js";
import { zshCompletion } from "../src/completion/zsh.js";
import { isOptionName, OPTIONS } from "../src/options.js";
import { sandboxlib } from "./support/cli.js";
import { scratch } from "./support/scratch.js";
import { testUnless } from "./support/test-unless.js";
import { lackOf } from "./support/tool.js";

/** Lines up to the cursor, each with the only way to complete its last word; empty where nothing fits. */
const LINES = {
  "sandboxlib expl": "explain",
  "sandboxlib explain --dig": "--digest",
  "sandboxlib schema --verb": "--verbose",
  "sandboxlib schema --netw": "",
  "sandboxlib completion fi": "fish",
  "sandboxlib help expl": "explain",
  "sandboxlib sess": "session",
  "sandboxlib session exe": "exec",
  "sandboxlib session start --netw": "--network",
  "sandboxlib session exec --netw": "",
  "sandboxlib session exec name -- mkfif": "mkfifo",
  "run-sandbox --netw": "--network",
  "run-sandbox --network h": "host",
  "run-sandbox --isolate cg": "cgroup",
  "run-sandbox --prefer hid": "hidden",
  "run-sandbox --cwd / --config config-f": "config-file",
  "run-sandbox --cwd / -- mkfif": "mkfifo",
  "run-sandbox root mkfif": "mkfifo",
  "run-sandbox root -- mkfif": "mkfifo",
  "run-sandbox root ls --netw": "",
} as const;

/** Runs a script of a shell with the completions in `script` and the lines as arguments; it prints one word for each. */
function completed(argv: readonly string[], completions: string): Record<string, string> {
  const cwd = scratch();
  mkdirSync(join(cwd, "root"));
  writeFileSync(join(cwd, "config-file"), "");
  writeFileSync(join(cwd, "script"), completions);
  const [file = "", ...args] = [...argv, ...Object.keys(LINES)];
  const env = { PATH: "/usr/bin", HOME: cwd, TERM: "dumb" };
  const output = execFileSync(file, args, { encoding: "utf8", cwd, env, stdio: "pipe" });
  const words = output.split("\n");
  return Object.fromEntries(Object.keys(LINES).map((line, index) => [line, words[index] ?? ""]));
}

const BASH = `
compopt() { :; }
. ./script
for line; do
  read -ra COMP_WORDS <<< "$line"
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _sandboxlib
  echo "\${COMPREPLY[*]}"
done`;

testUnless(lackOf("/bin/bash"), "bash completes options, their arguments and the command", () => {
  expect(completed(["/bin/bash", "-c", BASH, "bash"], bashCompletion())).toEqual(LINES);
});

/** A terminal with a shell: what it has made of the line is printed between brackets. */
const ZSH = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'autoload -Uz compinit; compinit -u -D; source ./script; unsetopt beep; show() { print -r -- "[$BUFFER]"; BUFFER=; }; zle -N show; bindkey "^X" show; PROMPT=REA''DY'
while zpty -r shell text && [[ $text != *READY* ]]; do :; done
for line; do
  zpty -w -n shell "$line"$'\\t\\x18'
  while zpty -r shell text && [[ $text != *'['*']'$'\\r'* ]]; do :; done
  done=\${\${text##*'['}%%']'*}
  last=\${\${(z)done}[-1]%=}
  [[ $last == \${\${(z)line}[-1]} ]] && print || print -r -- $last
done
zpty -d shell`;

testUnless(
  lackOf("/usr/bin/zsh"),
  "zsh completes options, their arguments and the command",
  () => {
    expect(completed(["/usr/bin/zsh", "-f", "-c", ZSH, "zsh"], zshCompletion())).toEqual(LINES);
  },
  60_000,
);

const FISH = `
source ./script
for line in $argv
    echo (complete -C $line | string split -f 1 \\t)
end`;

testUnless(
  lackOf("/usr/bin/fish"),
  "fish completes options, their arguments and the command",
  () => {
    const argv = ["/usr/bin/fish", "--no-config", "-c", FISH];
    expect(completed(argv, fishCompletion())).toEqual(LINES);
  },
);

test.each([
  ["bash", bashCompletion()],
  ["zsh", zshCompletion()],
  ["fish", fishCompletion()],
])("%s is told of every command and option, and prints what it is told", async (shell, text) => {
  const names = Object.keys(OPTIONS).filter(isOptionName);
  const spelling =
    shell === "fish" ? (name: string) => `-l ${name} ` : (name: string) => `--${name}`;
  expect(names.filter((name) => !text.includes(spelling(name)))).toEqual([]);
  expect(
    commandNames().filter(
      (name) => !text.includes(name.replace(" ", shell === "zsh" ? "\\ " : " ")),
    ),
  ).toEqual([]);
  expect(await sandboxlib(["completion", shell])).toMatchObject({ stdout: text, exitCode: 0 });
});

test.each([
  [[], "SHELL is missing: bash, zsh or fish?"],
  [["tcsh"], '"tcsh": is no shell: bash, zsh or fish?'],
  [["bash", "zsh"], '"zsh": is no shell: bash, zsh or fish?'],
])("`sandboxlib completion` with %j is wrong usage", async (args, message) => {
  const { exitCode, stderr } = await sandboxlib(["completion", ...args]);
  expect([exitCode, stderr.split("\n")[0]]).toEqual([2, `sandboxlib: ${message}`]);
});
