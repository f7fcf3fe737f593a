import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { describeWith } from "./support/backend.js";
import { BIN, startNode } from "./support/cli.js";
import { scratch } from "./support/scratch.js";
import { testUnless } from "./support/test-unless.js";
import { noTmux, openScreen, type Screen } from "./support/tmux.js";
import { lackOf } from "./support/tool.js";

/** Why the program that types into terminals cannot run; undefined if it can. */
const noPerl = lackOf("/usr/bin/perl");

const RUN = `${process.execPath} ${BIN["run-sandbox"]} --quiet --tty`;

/** A shell inside, which prompts with `inner>`. */
async function openShell(): Promise<Screen> {
  const screen = await openScreen();
  screen.type(`${RUN} -- bash --norc --noprofile`, "Enter");
  await screen.shows(/^bash-.*[#$]$/m);
  screen.type("PS1='inner> '; clear", "Enter");
  await screen.shows(/^inner>$/m);
  return screen;
}

await describeWith("namespaces", "a shell in a terminal of its own", () => {
  testUnless(noTmux, "prompts, edits lines and gives its exit code", async () => {
    const { type, shows } = await openShell();
    type("echo hallo", "Left", "Left", "Left", "BSpace", "e", "Enter");
    await shows(/^hello$/m);
    type("tty", "Enter");
    await shows(/^\/dev\/pts\/0$/m);
    type("exit 7", "Enter");
    await shows(/^outer\$$/m);
    type("echo code $?", "Enter");
    await shows(/^code 7$/m);
  });

  testUnless(noTmux, "interrupts, stops and continues its jobs", async () => {
    const { type, shows } = await openShell();
    // A key that comes before the program has the terminal is the shell's.
    type("sh -c 'echo begun; sleep 600'", "Enter");
    await shows(/^begun$/m);
    type("C-c");
    await shows(/\^C\s+inner>$/m);
    const goesOn = `sh -c 'trap "echo goes on" CONT; echo waits; while :; do sleep 0.1; done'`;
    type(goesOn, "Enter");
    await shows(/^waits$/m);
    type("C-z");
    await shows(/Stopped +sh -c/);
    type("clear; fg", "Enter");
    await shows(/^goes on$/m);
    type("C-c");
    await shows(/\^C\s+inner>$/m);
    type("clear; jobs; echo no $((6 * 7))", "Enter");
    expect(await shows(/^no 42$/m)).not.toContain("sleep");
  });

  testUnless(noTmux, "has the size of the caller's, also when that changes", async () => {
    const { type, shows, resize } = await openShell();
    type("stty size", "Enter");
    await shows(/^40 100$/m);
    resize(91, 33);
    type(`clear; until [ "$(stty size)" = "33 91" ]; do sleep 0.1; done; stty size`, "Enter");
    await shows(/^33 91$/m);
  });

  testUnless(
    noTmux,
    "has the size of standard input where the outputs are no terminals",
    async () => {
      const { type, shows } = await openScreen();
      type(`clear; ${RUN} -- stty size 2>/dev/null | cat`, "Enter");
      await shows(/^40 100$/m);
    },
  );

  testUnless(noTmux, "can hand single keys to a program", async () => {
    const { type, shows } = await openShell();
    type("stty raw -echo; echo ready; head -c 6 | od -An -c; stty sane", "Enter");
    await shows(/^ready$/m);
    type("a", "C-c", "C-z", "Up");
    await shows(/ a +003 +032 +033 +[[O] +A$/m);
  });
});

await describeWith("namespaces", "the caller's terminal", () => {
  testUnless(noTmux, "is the shell's again while the command line is stopped", async () => {
    const file = join(scratch(), "pid");
    const { type, shows } = await openScreen();
    type(`sh -c 'echo $$ >${file}; exec ${RUN} -- bash --norc --noprofile'`, "Enter");
    await shows(/^bash-.*[#$]$/m);
    process.kill(Number(readFileSync(file, "utf8")), "SIGTSTP");
    await shows(/Stopped/);
    type("clear; stty -a | grep -o ' icanon'", "Enter");
    await shows(/^ icanon$/m);
    type("fg", "Enter");
    await shows(/^sh -c /m);
    type("clear; uname -n", "Enter");
    await shows(/^sandbox$/m);
  });

  testUnless(
    noTmux,
    "is left alone in the background, where it would stop the command line",
    async () => {
      const { type, shows } = await openScreen();
      // timeout(1) runs its command in a process group that is not in the foreground.
      type(`clear; timeout 15 ${RUN} -- sh -c 'echo shown; exit 7'; echo code $?`, "Enter");
      await shows(/^shown\s+code 7$/m);
      type(`clear; ${RUN} -- sh -c 'echo be''gun; read line; echo got $line' &`, "Enter");
      await shows(/ begun$/m);
      type("clear; fg", "Enter");
      // The screen may break the line anywhere: it is as long as the path of this checkout.
      await shows(/g\s*o\s*t\s*\$/);
      type("a word", "Enter");
      await shows(/^got a word$/m);
    },
  );

  const ends: readonly [string, string, NodeJS.Signals | undefined][] = [
    ["the program has ended", "sh -c 'stty raw; exit 3'", undefined],
    ["the program was not found", "/no/such/program", undefined],
    ["SIGTERM has come", "sh -c 'echo ready; exec cat'", "SIGTERM"],
    ["SIGHUP has come", "sh -c 'echo ready; exec cat'", "SIGHUP"],
    ["SIGQUIT has come", "sh -c 'echo ready; exec cat'", "SIGQUIT"],
    ["SIGXCPU has come", "sh -c 'echo ready; exec cat'", "SIGXCPU"],
  ];
  for (const [when, command, signal] of ends) {
    testUnless(noTmux, `is as it was when ${when}`, async () => {
      const directory = scratch();
      const file = (name: string): string => readFileSync(join(directory, name), "utf8");
      // An interactive shell would restore it by itself.
      writeFileSync(
        join(directory, "script"),
        `cd ${directory}; stty -g >before
        sh -c 'echo $$ >pid; exec "$@"' sh ${RUN} --cwd / -- ${command}
        stty -g >after; echo over`,
      );
      const { type, shows } = await openScreen();
      type(`sh ${directory}/script`, "Enter");
      if (signal !== undefined) {
        await shows(/^ready$/m);
        process.kill(Number(file("pid")), signal);
      }
      await shows(/^over$/m);
      expect(file("after")).toBe(file("before"));
    });
  }
});

await describeWith("namespaces", "what a terminal shows", () => {
  test("that nobody takes any more is the end of the program, as when a terminal is hung up", async () => {
    const argv = [BIN["run-sandbox"], "--quiet", "--tty", "--", "seq", "1", "400000"];
    const child = startNode(argv);
    onTestFinished(() => void child.kill("SIGKILL"));
    child.stdout?.once("data", () => child.stdout?.destroy());
    expect(await once(child, "exit")).toEqual([128 + constants.signals.SIGHUP, null]);
  });
});

/** Makes every terminal that it can open its controlling one, and types a command into it; with "own" only its own. */
const INJECT = `
my @handles;
for my $fd (0, 1, 2) {
    if (open(my $handle, "+<&=", $fd)) { push @handles, $handle; }
}
my @others = ("/dev/console", "/dev/tty0", glob("/dev/pts/[0-9]*"), map { "/proc/$_/fd/0" } 1 .. 20);
for my $path ("/dev/tty", $ARGV[1] ? () : @others) {
    if (open(my $handle, "+<", $path)) { push @handles, $handle; }
}
my $taken = 0;
for my $handle (@handles) {
    ioctl($handle, 0x540E, 0); # TIOCSCTTY
    ioctl($handle, 0x540E, 1);
    for my $byte (split //, "echo injected >>$ARGV[0]\\n") {
        $taken++ if ioctl($handle, 0x5412, my $one = $byte); # TIOCSTI
    }
    for my $code (2, 3, 10) { ioctl($handle, 0x541C, my $one = pack("C10", $code, (0) x 9)); } # TIOCLINUX
}
print "taken $taken\\n";
`;

for (const backend of ["namespaces", "bubblewrap", "chroot"]) {
  await describeWith(backend, "a program that types into terminals", () => {
    for (const option of backend === "namespaces" ? ["", "--tty"] : [""]) {
      const given = option === "" ? "that is handed on" : "in place of which it has another";
      testUnless(noTmux ?? noPerl, `types nothing into the caller's, ${given}`, async () => {
        const directory = scratch();
        const script = join(directory, "inject.pl");
        writeFileSync(script, INJECT);
        const { type, shows } = await openScreen();
        const run = `${process.execPath} ${BIN["run-sandbox"]} --quiet --degrade ${option}`;
        const options = `--backend ${backend} --bind ${directory}::ro`;
        type(`${run} ${options} -- perl ${script} ${directory}/inside; echo over`, "Enter");
        await shows(/^taken \d+$/m);
        await shows(/^over$/m);
        // If the kernel allows TIOCSTI at all, the same program succeeds outside: this shows that the test can fail.
        type(`clear; perl ${script} ${directory}/outside own; echo out again`, "Enter");
        const [, taken] = /^taken (\d+)$/m.exec(await shows(/^out again$/m)) ?? [];
        type("clear; echo done", "Enter");
        await shows(/^done$/m);
        const made = ["inside", "outside"].filter((name) => existsSync(join(directory, name)));
        expect(made).toEqual(taken === "0" ? [] : ["outside"]);
      });
    }
  });
}
