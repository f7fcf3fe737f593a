import { machineLine } from "../machine.mjs";
import { cellsOf, verdictLines } from "./table.mjs";

/** docs/benchmarks.md: what was found, how, and how to find it again. */
export function page({ machine, series }) {
  return `${INTRODUCTION}
${machineLine(machine)}

${series.map(section).join("\n\n")}
`;
}

const INTRODUCTION = `# Benchmarks

Written by \`pnpm bench --json docs/benchmarks.json --svg docs/benchmarks.svg --page docs/benchmarks.md\`; edit the programs in \`benchmarks/\`, not this page.

![Launch latency, launches per second, mounts, output and memory](benchmarks.svg)

## How to read it

Only the ratios within one run mean something: absolute times are those of one machine. Every variant runs once a round, in a new order each round; the figure is the median, "middle half" the quartiles. A budget that does not hold makes the run exit with 1.

To repeat it: \`pnpm bench\`, with \`--series NAME\` for one series and \`--rounds N\` for a quicker look. The other libraries are a project of their own, so that nobody installs them with ours: \`npm ci --prefix benchmarks/rivals\` gets them. What is not installed is named as skipped.

What is compared:

- **plain spawn**: \`child_process.spawn\`, no sandbox, until \`close\`. The other tools are started in the same way. **execa**: the same through that library.
- **bwrap**: \`--unshare-all --die-with-parent\`, the host's root read-only, fresh \`/proc\`, \`/dev\` and \`/tmp\`: the mounts of our default config. **nsjail** likewise, without a \`/dev\` of its own.
- **unshare**: every namespace and \`/proc\`; nothing is read-only, so it does less than the others.
- **crun**, **runc**: a bundle whose root shows the host's \`/usr\` and \`/etc\`, all namespaces but the user's, no cgroup limits.
- **sandboxlib, NAME**: our library with that backend and the default config, a fresh sandbox each run, its result verified against the kernel. \`chroot\` isolates less, since it cannot. **session**: one sandbox for all runs. **pool**: waiting sandboxes, each used once; a run is timed when the pool is full, the rates include the refill.
- **sandboxlib-launcher run**: a plan that \`sandboxlib plan\` has written, run by the launcher alone. **fork server**: the process that starts launchers for the library, asked by a C program in the place of Node.
- **the kernel's part**: a C program, \`benchmarks/native/limit.c\`, that makes the system calls of our launch and nothing else.
- **sandbox-runtime**, **mxc-sdk**: as their READMEs show, initialised once, host read-only, no network. Both start bwrap; sandbox-runtime also a shell and two relays in each run. They ask for a newer Node than ours does; both work on this one, and took as long on Node 24.
`;

function section(result) {
  const rows = result.points.length === 0 ? [] : cellsOf(result);
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const [head, ...body] = rows;
  const lines = rows.length === 0 ? [] : [line(head), line(head.map(ruler)), ...body.map(line)];
  const verdicts = verdictLines(result).map((text) => `- ${text}`);
  return [`## ${result.title}`, lines.join("\n"), verdicts.join("\n")].filter(Boolean).join("\n\n");
}

function ruler(_, column) {
  return column === 0 ? "---" : "---:";
}
