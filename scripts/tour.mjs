// Writes docs/tour.md: runs the commands below and puts down what they print. A test runs the page again.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { execa } from "execa";

const root = join(import.meta.dirname, "..");
const cwd = mkdtempSync("/var/tmp/sandboxlib-tour-");

/** A heading, a sentence, and commands. */
const STOPS = [
  [
    "A command in a sandbox",
    "It sees the host's files, and can change none. There is no network but a loopback of its own, and `/tmp` is empty.",
    "run-sandbox --cwd / -- sh -c 'echo hello; touch /etc/mark; ls -A /tmp; cut -d: -f1 /proc/net/dev | tail -n 1'",
  ],
  [
    "Its processes are its own",
    "",
    "run-sandbox --cwd / -- sh -c 'echo I am $$, on $(uname -n); ls /proc | grep -c \"^[0-9]\"'",
  ],
  [
    "Something to work on",
    "One directory is writable, one file cannot be read.",
    `mkdir -p work && echo secret > token
run-sandbox --cwd "$PWD/work" --writable "$PWD/work" --hide "$PWD/token" -- sh -c 'echo done > report; cat ../token'
cat work/report`,
  ],
  [
    "Limits, and how it ended",
    "124 is a time-out, as with timeout(1); death by a signal is 128 and its number, as in a shell.",
    `run-sandbox --cwd / --timeout 0.2 -- sleep 60; echo $?
run-sandbox --cwd / -- sh -c 'kill -SEGV $$'; echo $?
run-sandbox --cwd / --open-files 8 -- sh -c 'ulimit -n'`,
  ],
  [
    "What cannot be had is refused",
    "Nothing is dropped in silence, and an option that does not exist is not guessed at.",
    `run-sandbox --cwd / --hide /no/such/file -- true; echo $?
run-sandbox --cwd / --timeuot 3 -- true; echo $?`,
  ],
  [
    "What was enforced, and how that is known",
    "The result as JSON: the outcome, what the run used, and the receipt.",
    `run-sandbox --cwd / --result-file result.json -- true
node -p 'const { backend, outcome, enforcement } = JSON.parse(fs.readFileSync("result.json")); \`\${backend} \${outcome} \${enforcement.dropped.length} dropped\`'`,
  ],
  [
    "An image",
    "Built from a directory here; `docker save` and its like write others. What the program writes is gone afterwards.",
    `mkdir -p image/bin && cp "$(command -v busybox)" image/bin/sh
sandboxlib image build image --oci -o image.tar > /dev/null
run-sandbox --quiet image.tar -- /bin/sh -c 'echo mine > /file; echo /*'
run-sandbox --quiet image.tar -- /bin/sh -c 'echo /*'`,
  ],
];

try {
  symlinkSync(join(root, "packages/conformance/node_modules"), join(cwd, "node_modules"));
  const parts = [];
  for (const [heading, text, script] of STOPS) {
    const output = (await run(script)).replaceAll(cwd, "...");
    const prose = text === "" ? "" : `${text}\n\n`;
    parts.push(
      `## ${heading}\n\n${prose}\`\`\`sh\n${script}\n\`\`\`\n\n\`\`\`text\n${output}\`\`\`\n`,
    );
  }
  const head =
    "# A tour\n\n<!-- Written by `node scripts/tour.mjs`. Do not edit. -->\n\nEach block is followed by what it printed.\n";
  writeFileSync(join(root, "docs/tour.md"), [head, ...parts].join("\n"));
} finally {
  rmSync(cwd, { recursive: true });
}

async function run(script) {
  const PATH = [join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
  const env = { PATH, HOME: cwd, SANDBOXLIB_BACKEND: "namespaces" };
  const { all } = await execa("sh", ["-c", script], {
    cwd,
    env,
    extendEnv: false,
    all: true,
    reject: false,
    stripFinalNewline: false,
  });
  return all;
}
