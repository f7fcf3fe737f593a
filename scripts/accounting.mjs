// Holds our accounting against time(1) on the same programs, and writes docs/accounting.md, or nothing with `--check`.
// Exits with 1 when a figure is off by more than it may be. time(1) runs inside, so that both speak of one run: between
// two runs on a busy machine lies more than what is compared. Each program runs three times, and the median of the
// differences counts, as that machine may also come between what the two of them count.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSandbox } from "@sandboxlib/core";
import { table } from "./lib/docs/table.mjs";

const TIME = "/usr/bin/time";
const PAGE = new URL("../docs/accounting.md", import.meta.url);
/** On a disk, unlike /tmp on many machines. */
const DISK = "/var/tmp";
const MOST_OFF = 0.05;
const RUNS = 3;
const isCheck = process.argv.includes("--check");

/**
 * What is compared, how time(1) calls it, and below which figure a difference of a few counts is more than 5%. Our wall
 * time begins before the sandbox is made.
 */
const FIGURES = [
  { name: "wall time", key: "wallTime", letter: "e", unit: "s", scale: 1, least: 2 },
  { name: "user time", key: "userTime", letter: "U", unit: "s", scale: 1, least: 0.5 },
  { name: "system time", key: "systemTime", letter: "S", unit: "s", scale: 1, least: 0.5 },
  { name: "peak memory", key: "peakMemory", letter: "M", unit: "KiB", scale: 1024, least: 4096 },
  { name: "minor faults", key: "minorFaults", letter: "R", unit: "", scale: 1, least: 5000 },
  { name: "major faults", key: "majorFaults", letter: "F", unit: "", scale: 1, least: 200 },
  { name: "block reads", key: "blockReads", letter: "I", unit: "KiB", scale: 1024, least: 4096 },
  { name: "block writes", key: "blockWrites", letter: "O", unit: "KiB", scale: 1024, least: 4096 },
  { name: "waits", key: "voluntarySwitches", letter: "w", unit: "", scale: 1, least: 1000 },
  { name: "preemptions", key: "involuntarySwitches", letter: "c", unit: "", scale: 1, least: 1000 },
];

const PROGRAMS = [
  {
    what: "computes",
    argv: ["awk", "BEGIN { for (i = 0; i < 40000000; i++) n += i % 7; print n }"],
  },
  {
    what: "asks the kernel",
    argv: ["dd", "if=/dev/zero", "of=/dev/null", "bs=512", "count=4000000"],
  },
  {
    what: "fills 200 MB of memory",
    argv: ["dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=8"],
  },
  {
    what: "writes to a disk and reads from it",
    argv: [
      "sh",
      "-c",
      "dd if=/dev/zero of=file bs=1M count=256 conv=fsync && dd if=file of=/dev/null bs=64k iflag=direct",
    ],
  },
  {
    what: "starts 500 children",
    argv: ["sh", "-c", "i=0; while [ $i -lt 500 ]; do /bin/true; i=$((i+1)); done"],
  },
  {
    what: "waits for another process",
    argv: ["sh", "-c", "dd if=/dev/zero bs=1 count=400000 | dd of=/dev/null bs=1"],
  },
];

/** The fields of the usage. */
const FIELDS = [
  ["`userTime`, `systemTime`", "seconds", "`ru_utime`, `ru_stime`"],
  ["`peakMemory`", "bytes", "`ru_maxrss`: the largest resident set of any one process"],
  ["`minorFaults`, `majorFaults`", "faults", "`ru_minflt`, `ru_majflt`"],
  ["`blockReads`, `blockWrites`", "bytes", "`ru_inblock`, `ru_oublock`, times 512"],
  ["`voluntarySwitches`, `involuntarySwitches`", "switches", "`ru_nvcsw`, `ru_nivcsw`"],
];

const directory = mkdtempSync(join(DISK, "accounting-"));
try {
  const rows = [];
  const off = [];
  for (const program of PROGRAMS) {
    const compared = await compareOften(program.argv);
    off.push(...compared.filter((figure) => Math.abs(figure.off) > MOST_OFF));
    rows.push(...rowsOf(program, compared));
  }
  if (isCheck) console.log(`accounting: ${rows.length} figures held against time(1)`);
  else writeFileSync(PAGE, page(rows));
  for (const { name, ours, theirs } of off) console.log(`${name}: ${ours}, of time(1) ${theirs}`);
  if (off.length > 0) throw new Error("a figure is off by more than 5%");
} finally {
  rmSync(directory, { recursive: true });
}

/** Of each figure the run with the median difference; none of those that are too small in any run. */
async function compareOften(argv) {
  const runs = [];
  for (let run = 0; run < RUNS; run += 1) runs.push(await compare(argv));
  return FIGURES.map((_, index) => runs.map((figures) => figures[index]))
    .filter((figures) => !figures.some(({ isFew }) => isFew))
    .map((figures) => figures.toSorted((a, b) => a.off - b.off)[(RUNS - 1) / 2]);
}

/** Runs a program below time(1) in a sandbox. */
async function compare(argv) {
  const sandbox = await createSandbox(
    {
      cwd: directory,
      writable: [directory],
    },
    { backend: "namespaces" },
  );
  const format = FIGURES.map(({ letter }) => `%${letter}`).join(" ");
  const { usage, exitCode, stderr } = await sandbox.run([
    TIME,
    "-f",
    format,
    "-o",
    "said",
    ...argv,
  ]);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${Buffer.from(stderr).toString()}`);
  const said = readFileSync(join(directory, "said"), "utf8").trim().split(" ").map(Number);
  return FIGURES.map((figure, index) => {
    const theirs = said[index];
    const isBlocks = figure.letter === "I" || figure.letter === "O";
    // time(1) counts blocks of 512 bytes.
    const inUnit = isBlocks ? theirs / 2 : theirs;
    const ours = usage[figure.key] / figure.scale;
    return {
      ...figure,
      ours,
      theirs: inUnit,
      off: ours / inUnit - 1,
      isFew: inUnit < figure.least,
    };
  });
}

function rowsOf({ what, argv }, compared) {
  return compared.map(({ name, unit, ours, theirs, off }, index) => [
    index === 0 ? `${what}: \`${argv.join(" ")}\`` : "",
    name,
    figure(ours, unit),
    figure(theirs, unit),
    `${(off * 100).toFixed(2)}%`,
  ]);
}

function figure(value, unit) {
  return `${unit === "s" ? value.toFixed(2) : Math.round(value)} ${unit}`.trim();
}

function page(rows) {
  return `# Accounting

<!-- Written by \`node scripts/accounting.mjs\`, which measures. Do not edit. -->

Every result has a \`usage\`. Where the run has no cgroup of its own, which counts for the whole sandbox, and the backend is the launcher, it is what wait4(2) gives for the program and all children that it waited for:

${table(["Field", "Unit", "Of getrusage(2)"], FIELDS)}

\`wallTime\` is measured by this process, from the start of the tool or the command until the last of its processes was gone; what is then taken back on the host does not count. A tool of somebody else's reaps the program itself and tells nobody, so with it the other fields are absent rather than wrong. A process that the program has left behind, or did not wait for, is not counted, unless the run was ended: then every process of it is.

## Held against time(1)

Each program runs below \`/usr/bin/time\` (GNU time 1.9) in a sandbox of the backend namespaces. time(1) tells what it counted, the result what we counted of the same run, time(1) included; of three runs it is the one with the median difference. Figures so small that a tick or a page is more than 5% of them are left out: wall times below two seconds, other times below half a second, memory and blocks below 4 MiB, faults below 5,000 (major ones: 200), switches below 1,000.

${table(["Program", "Figure", "sandboxlib", "time -v", "Difference"], rows)}
`;
}
