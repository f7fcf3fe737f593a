// Runs a program that nobody has read, with a time limit and a limit on its output, and says in one word how it ended.
import { createSandbox } from "@sandboxlib/core";

const sandbox = await createSandbox({ cwd: "/", limits: { wallTime: 1 } });

for (const script of ["echo 42", "exit 3", "sleep 60", "yes"]) {
  const result = await sandbox.run(["sh", "-c", script], { maxOutput: 4096 });
  console.log(`${script.padEnd(8)} ${result.outcome} ${result.exitCode ?? ""}`.trimEnd());
}
