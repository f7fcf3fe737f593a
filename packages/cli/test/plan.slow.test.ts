import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWith } from "./support/backend.js";
import { runSandbox, sandboxlib } from "./support/cli.js";
import { scratch } from "./support/scratch.js";

interface Planned {
  readonly file: string;
  readonly launcher: string;
  readonly run: (...command: string[]) => Pick<SpawnSyncReturns<string>, "status" | "stderr">;
  /** What a run writes to its result file. */
  readonly resultOf: (...command: string[]) => Result;
}

interface Result {
  readonly usage: object;
  readonly backend: string;
  readonly enforcement: { readonly enforced: { known: string }[] };
}

async function planned(...options: string[]): Promise<Planned> {
  const file = join(scratch(), "a.plan");
  const { stdout, stderr, exitCode } = await plan(file, ...options);
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  const [launcher = ""] = stdout.split(" ");
  expect(stdout).toBe(`${launcher} run ${file} --\n`);
  const run: Planned["run"] = (...command) => runPlan(launcher, file, ...command);
  const resultOf: Planned["resultOf"] = (...command) => {
    const path = join(scratch(), "result");
    spawnSync(launcher, ["run", "--result-file", path, file, "--", ...command]);
    return JSON.parse(readFileSync(path, "utf8")) as Result;
  };
  return { file, launcher, run, resultOf };
}

function plan(file: string, ...options: string[]): ReturnType<typeof sandboxlib> {
  const args = ["plan", "--backend", "namespaces", "--cwd", "/", "-o", file, ...options];
  return sandboxlib(args, { env: { SECRET: "1" } });
}

function runPlan(launcher: string, file: string, ...command: string[]) {
  const { status, stdout, stderr } = spawnSync(launcher, ["run", file, "--", ...command], {
    encoding: "utf8",
    input: "in\n",
    env: { SECRET: "2" },
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
  return { status, stdout, stderr };
}

await describeWith("namespaces", "a plan is run by the launcher alone", () => {
  test("with the streams of the caller and the exit code of the program", async () => {
    const { run } = await planned();
    expect(run("sh", "-c", "cat; echo err >&2; hostname; exit 7")).toEqual({
      status: 7,
      stdout: "in\nsandbox\n",
      stderr: "err\n",
    });
  });

  test("with more than a pipe holds, from a file and to a file", async () => {
    const { file, launcher } = await planned();
    const [from, to] = [join(scratch(), "from"), join(scratch(), "to")];
    writeFileSync(from, Buffer.alloc(3_000_000, "a"));
    const stdio = [openSync(from, "r"), openSync(to, "w"), openSync(to, "a")];
    const { status } = spawnSync(launcher, ["run", file, "--", "cat"], { stdio });
    for (const fd of stdio) closeSync(fd);
    expect(status).toBe(0);
    expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
  });

  test("and no file of the caller is handed to the program, which could change its mode", async () => {
    const { file, launcher } = await planned();
    const path = join(scratch(), "out");
    writeFileSync(path, "before\n", { mode: 0o600 });
    const fd = openSync(path, "r+");
    const change = "chmod 4777 /dev/stdout /dev/stdin; chmod 4777 /proc/self/fd/2; : >/dev/stderr";
    spawnSync(launcher, ["run", file, "--", "sh", "-c", change], { stdio: [fd, fd, fd] });
    closeSync(fd);
    expect(statSync(path).mode & 0o7777).toBe(0o600);
    expect(statSync("/dev/null").mode & 0o7777).toBe(0o666);
  });

  test("with nothing but fds 0 to 2, and neither the environment nor the words of the caller", async () => {
    const { file, launcher } = await planned();
    const extra = openSync("/dev/zero", "r");
    const look =
      "for fd in /proc/self/fd/*; do echo ${fd##*/}; done; echo [$SECRET]; cat /proc/1/environ";
    const { stdout } = spawnSync(launcher, ["run", file, "--", "sh", "-c", look], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe", extra, extra, extra],
      env: { SECRET: "2" },
    });
    closeSync(extra);
    expect(stdout.replace("3\n", "")).toBe("0\n1\n2\n[]\n");
  });

  test("with closed streams", async () => {
    const { file, launcher } = await planned();
    const script = `exec "$0" run "$1" -- true <&- >&- 2>&-`;
    expect(spawnSync("sh", ["-c", script, launcher, file]).status).toBe(0);
  });

  test.each([
    ["a signal of its own", ["sh", "-c", "kill -9 $$"], 137, ""],
    ["no program", ["no-such-program"], 127, "sandboxlib-launcher: command: execve: errno 2\n"],
    ["no executable", ["/etc/passwd"], 126, "sandboxlib-launcher: command: execve: errno 13\n"],
  ])("and its exit code tells of %s", async (_, command, status, stderr) => {
    const { run } = await planned();
    expect(run(...command)).toEqual({ status, stdout: "", stderr });
  });

  test("and the plan's own command where none is given", async () => {
    const { file, launcher } = await planned("--", "echo", "own");
    const { stdout } = spawnSync(launcher, ["run", file], { encoding: "utf8" });
    expect(stdout).toBe("own\n");
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s goes to the program", async (signal) => {
    const { file, launcher } = await planned();
    const script = `trap 'echo got; exit 3' ${signal.slice(3)}; echo up; while :; do sleep 0.05; done`;
    const child = spawn(launcher, ["run", file, "--", "sh", "-c", script]);
    const chunks: string[] = [];
    child.stdout.on("data", (chunk: Buffer) => {
      if (chunks.push(String(chunk)) === 1) child.kill(signal);
    });
    const [status] = await once(child, "close");
    expect([status, chunks.join("")]).toEqual([3, "up\ngot\n"]);
  });

  test("a signal that ends the program ends the launcher, too, and a second one kills", async () => {
    const { file, launcher } = await planned();
    const script = "trap 'echo got' TERM; echo up; while :; do sleep 0.05; done";
    const child = spawn(launcher, ["run", file, "--", "sh", "-c", script]);
    let heard = "";
    child.stdout.on("data", (chunk: Buffer) => {
      heard += chunk;
      child.kill(heard === "up\n" ? "SIGTERM" : "SIGINT");
    });
    expect(await once(child, "close")).toEqual([null, "SIGINT"]);
  });

  test("nothing survives a launcher that is killed", async () => {
    const { file, launcher } = await planned();
    const child = spawn(launcher, ["run", file, "--", "sh", "-c", "sleep 60 & echo up; wait"]);
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    // The pipe is closed when its last writer has gone, which is the sleep.
    await once(child, "close");
  });

  test("limits that tell of themselves hold", async () => {
    const { run } = await planned("--open-files", "17");
    expect(run("sh", "-c", "ulimit -n")).toMatchObject({ stdout: "17\n" });
  });

  test("its time limit ends everything", async () => {
    const { run } = await planned("--timeout", "0.3s");
    const stderr = "sandboxlib-launcher: the wall time limit was reached\n";
    expect(run("sh", "-c", "echo up; sleep 60 & wait")).toEqual({
      status: 124,
      stdout: "up\n",
      stderr,
    });
  });

  test("a program with a stop signal has its time of grace, and no more", async () => {
    const options = ["--timeout", "0.3s", "--stop-signal", "SIGUSR1", "--stop-grace", "0.5s"];
    const { run, resultOf } = await planned(...options);
    expect(
      run("sh", "-c", "trap 'echo got; exit 3' USR1; while :; do sleep 0.05; done"),
    ).toMatchObject({ status: 124, stdout: "got\n" });
    const script = "trap 'exit 3' USR1; while :; do sleep 0.05; done";
    expect(resultOf("sh", "-c", script)).toMatchObject({
      outcome: "timed-out",
      afterStop: { exitCode: 3 },
    });
    const stubborn = resultOf("sh", "-c", "trap '' USR1; while :; do sleep 0.05; done");
    expect(stubborn).toMatchObject({ outcome: "timed-out" });
    expect(stubborn).not.toHaveProperty("afterStop");
  });

  test("a limit that ends the program is the outcome", async () => {
    const { run, resultOf } = await planned("--file-size", "1k");
    const script = "exec head -c 5000 /dev/zero >/tmp/file";
    const stderr = "sandboxlib-launcher: the limit fileSize was reached\n";
    expect(run("sh", "-c", script)).toEqual({ status: 153, stdout: "", stderr });
    expect(resultOf("sh", "-c", script)).toMatchObject({
      outcome: "limit-exceeded",
      exceeded: { limit: "fileSize", bytes: 1024 },
    });
  });

  test("processor time is such a limit, and a signal of the program's own is not", async () => {
    const { resultOf } = await planned("--cpu-time", "0.5s");
    expect(resultOf("sh", "-c", "while :; do :; done")).toMatchObject({
      outcome: "limit-exceeded",
      exceeded: { limit: "cpuTime", seconds: 0.5 },
    });
    expect(resultOf("sh", "-c", "kill -XCPU $$")).toMatchObject({
      outcome: "signaled",
      signal: "SIGXCPU",
    });
  });
});

await describeWith("namespaces", "a signal that the caller of a plan ignores", () => {
  test.each(["HUP", "INT", "TERM"] as const)(
    "is not sent on to the program: SIG%s",
    async (name) => {
      const { file, launcher } = await planned();
      const run = `trap '' ${name}; exec "$0" run "$1" -- sh -c 'echo up; read line; echo "$line"'`;
      const child = spawn("sh", ["-c", run, launcher, file]);
      let heard = "";
      child.stdout.on("data", (chunk: Buffer) => {
        heard += chunk;
        if (heard !== "up\n") return;
        child.kill(`SIG${name}`);
        child.stdin.end("end\n");
      });
      expect([await once(child, "close"), heard]).toEqual([[0, null], "up\nend\n"]);
    },
  );
});

await describeWith("namespaces", "what covers a path is looked at while a plan runs", () => {
  const replaced = async (options: (directory: string) => string[], script: string) => {
    const directory = scratch();
    const file = join(directory, "file");
    writeFileSync(file, "old\n");
    const { file: plan, launcher } = await planned(...options(directory));
    const result = join(scratch(), "result");
    const args = ["run", "--result-file", result, plan, "--", "sh", "-c", `echo up; ${script}`];
    const child = spawn(launcher, args);
    let heard = "";
    child.stdout.on("data", (chunk: Buffer) => {
      heard += chunk;
      if (heard !== "up\n") return;
      renameSync(file, `${file}.old`);
      writeFileSync(file, "new\n");
    });
    const [status] = await once(child, "close");
    return {
      status,
      error: (JSON.parse(readFileSync(result, "utf8")) as { error: unknown }).error,
    };
  };

  test("a hidden one that is replaced ends the run", async () => {
    const options = (directory: string) => ["--bind", `${directory}:/mnt`, "--hide", "/mnt/file"];
    expect(await replaced(options, "sleep 60")).toEqual({
      status: 125,
      error: {
        code: "VERIFY_FAILED",
        message: expect.stringMatching(/^hidden\[0\]: the path is not hidden any more/),
        path: "hidden[0]",
      },
    });
  });

  test("and so does one that is replaced when the program is about to end", async () => {
    const options = (directory: string) => ["--bind", `${directory}:/mnt`, "--hide", "/mnt/file"];
    const script = "until grep -q new /mnt/file 2>/dev/null; do :; done";
    expect(await replaced(options, script)).toMatchObject({ status: 125 });
  });

  test("and a read-only bind among what can be written", async () => {
    const options = (directory: string) => [
      "--bind",
      `${directory}:/mnt:rw`,
      "--bind",
      `${join(directory, "file")}:/mnt/file:ro`,
    ];
    expect(await replaced(options, "sleep 60")).toMatchObject({
      status: 125,
      error: { code: "VERIFY_FAILED" },
    });
  });

  test("while it stays, the program runs and cannot read it", async () => {
    const directory = scratch();
    writeFileSync(join(directory, "a b\\c"), "secret\n");
    const { run } = await planned("--bind", `${directory}:/mnt`, "--hide", "/mnt/a b\\c");
    expect(run("sh", "-c", "sleep 0.2; cat /mnt/*")).toMatchObject({ status: 1, stdout: "" });
  });
});

await describeWith("namespaces", "the result file of a plan", () => {
  test.each([
    ["an exit code", "exit 7", { outcome: "exited", exitCode: 7 }],
    ["a signal", "kill -BUS $$", { outcome: "signaled", signal: "SIGBUS" }],
    ["a real-time signal", "kill -37 $$", { outcome: "signaled", signal: "SIGRTMIN+3" }],
  ])("says what run-sandbox's would, with %s", async (_, script, ending) => {
    const { resultOf } = await planned("--prefer", "limit.cpu");
    const path = join(scratch(), "result");
    const options = ["--backend", "namespaces", "--cwd", "/", "--prefer", "limit.cpu"];
    await runSandbox([...options, "--result-file", path, "--", "sh", "-c", script]);
    const other = JSON.parse(readFileSync(path, "utf8")) as Result;
    const result = resultOf("sh", "-c", script);
    expect(result).toMatchObject(ending);
    expect(Object.keys(result)).toEqual(Object.keys(other));
    expect(Object.keys(result.usage)).toEqual(Object.keys(other.usage));
    for (const entry of other.enforcement.enforced) entry.known = "by-construction";
    const told = ({ backend, enforcement }: Result) => ({ backend, enforcement });
    expect(told(result)).toEqual(told(other));
  });

  test("has the error of a run that could not be made", async () => {
    const { resultOf } = await planned();
    expect(resultOf("no-such-program")).toEqual({
      error: { code: "COMMAND_NOT_FOUND", message: "command: execve: errno 2", path: "command" },
    });
  });

  test("takes the place of an older one, of nothing else, and follows no link", async () => {
    const { file, launcher } = await planned();
    const directory = scratch();
    const [path, link] = [join(directory, "result"), join(directory, "link")];
    writeFileSync(path, "older");
    symlinkSync(path, link);
    const run = (to: string) =>
      spawnSync(launcher, ["run", "--result-file", to, file, "--", "true"], { encoding: "utf8" });
    const why = (to: string, what: string) =>
      `sandboxlib-launcher: --result-file: ${to}: ${what}\n`;
    for (const to of [link, "/dev/null", directory])
      expect(run(to)).toMatchObject({ status: 2, stderr: why(to, "is not a regular file") });
    const nowhere = join(directory, "nowhere", "result");
    expect(run(nowhere)).toMatchObject({
      status: 2,
      stderr: why(nowhere, "cannot be written: errno 2"),
    });
    expect(readFileSync(path, "utf8")).toBe("older");
    expect(run(path).status).toBe(0);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ outcome: "exited" });
    expect(readdirSync(directory).sort()).toEqual(["link", "result"]);
  });
});

await describeWith("namespaces", "a plan is refused", () => {
  const refusal = (text: string) => ({
    status: 125,
    stdout: "",
    stderr: `sandboxlib-launcher: ${text}\n`,
  });

  test("when the root, or what a mount binds, has been replaced or is gone", async () => {
    const bound = scratch();
    const source = join(bound, "source");
    mkdirSync(source);
    const { run } = await planned("--bind", `${source}:/mnt:ro`);
    expect(run("true")).toMatchObject({ status: 0 });
    renameSync(source, `${source}.old`);
    const gone = run("true").stderr;
    expect(gone).toMatch(
      /^sandboxlib-launcher: mounts\[\d\].*: what the plan was made with cannot be reached: errno 2\n$/,
    );
    mkdirSync(source);
    expect(run("true").stderr).toMatch(/: it is not what it was when the plan was made\n$/);
  });

  test("when others could have written it", async () => {
    const { file, run } = await planned();
    chmodSync(file, 0o620);
    const why = "the plan can be written to by others than its owner: chmod go-w would forbid that";
    expect(run("true")).toEqual(refusal(`${file}: ${why}`));
  });

  test("when it is cut short anywhere", async () => {
    const { file, run } = await planned();
    const whole = readFileSync(file);
    for (let size = 0; size < whole.length; size += 97) {
      writeFileSync(file, whole.subarray(0, size));
      expect(run("true")).toMatchObject({ status: 125, stdout: "" });
    }
  });

  test("when it was made for another launcher or another user", async () => {
    const { file, run } = await planned();
    const whole = readFileSync(file);
    for (const [at, why] of [
      [8, "the plan was made for another user or group"],
      [12, "the plan was made for another user or group"],
      [24, "the plan was made for another launcher"],
      [40, "the plan was made for another launcher"],
    ] as const) {
      writeFileSync(file, changed(whole, at));
      expect(run("true")).toEqual(refusal(`${file}: ${why}`));
    }
  });

  test("or run, but never a crash, whatever byte of it is another one", async () => {
    const { file, run } = await planned();
    const whole = readFileSync(file);
    // What a result says of the sandbox is text that nobody reads here.
    const [text, setUp] = [whole.indexOf('"backend"'), whole.indexOf("S\x56\x04\0\0\0")];
    for (let at = 0; at < whole.length; at += 3) {
      if (at > text && at < setUp) continue;
      writeFileSync(file, changed(whole, at));
      expect([0, 124, 125, 126, 127, 159]).toContain(run("true").status);
    }
  });

  test("when its filter of system calls keeps pid 1 from whatever it does, its end included", async () => {
    const { file, run } = await planned("--seccomp", "none");
    const whole = readFileSync(file);
    // The architecture in the first comparison: all of this one's calls are now those of an unknown one.
    writeFileSync(file, changed(whole, whole.indexOf("sandbox\0F") + 8 + 5 + 12));
    expect(run("true")).toEqual(
      refusal("pid 1 of the sandbox cannot end: its filter of system calls forbids it"),
    );
  });

  test("when it is no file", async () => {
    const { launcher } = await planned();
    expect(runPlan(launcher, "/dev/null", "true")).toMatchObject({ status: 125 });
    expect(runPlan(launcher, "/nowhere", "true")).toEqual(
      refusal("/nowhere: the plan cannot be opened: errno 2"),
    );
  });
});

await describeWith("namespaces", "no plan is made", () => {
  test.each([
    ["a limit of memory", ["--memory", "100M"], "limits.memory"],
    ["a limit of processes", ["--processes", "10"], "limits.processes"],
  ])("with %s", async (_, options, field) => {
    const file = join(scratch(), "a.plan");
    const { exitCode, stdout, stderr } = await plan(file, ...options);
    expect({ exitCode, stdout }).toEqual({ exitCode: 125, stdout: "" });
    expect(stderr).toContain(`${field}: `);
  });

  test("in the place of what is no file", async () => {
    const pipe = join(scratch(), "pipe");
    spawnSync("mkfifo", [pipe]);
    for (const at of [pipe, "/dev/stdout"]) {
      const { exitCode, stderr } = await plan(at);
      expect([exitCode, stderr.split("\n")[0]]).toEqual([
        2,
        `sandboxlib: --output: "${at}" is there, and is no file`,
      ]);
    }
    expect(statSync(pipe).isFIFO()).toBe(true);
  });

  test("for another backend", async () => {
    const args = ["plan", "--backend", "bubblewrap", "--cwd", "/", "-o", join(scratch(), "a.plan")];
    expect((await sandboxlib(args)).exitCode).toBe(125);
  });

  test("of an image, or without a file for it", async () => {
    const image = join(scratch(), "image.tar");
    writeFileSync(image, "no image");
    const file = join(scratch(), "a.plan");
    expect((await sandboxlib(["plan", "-o", file, "--root", image])).stderr).toContain(
      "is an image",
    );
    expect((await sandboxlib(["plan", "--cwd", "/"])).exitCode).toBe(2);
  });
});

/** Another byte there, and the sum of what is there now. */
function changed(plan: Buffer, at: number): Buffer {
  const bytes = Buffer.from(plan);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0x41, at);
  let sum = 0x811c9dc5;
  for (const byte of bytes.subarray(0, -4)) sum = Math.imul(sum ^ byte, 0x01000193);
  bytes.writeUInt32LE(sum >>> 0, bytes.length - 4);
  return bytes;
}
