// Reads what a program writes as it comes, and ends the program when it has seen enough.
import { createSandbox } from "@sandboxlib/core";

const sandbox = await createSandbox({ cwd: "/" });
const child = sandbox.spawn(["sh", "-c", "i=0; while :; do echo line $i; i=$((i+1)); done"]);

for await (const line of child.lines("stdout")) {
  console.log(line);
  if (line === "line 3") break;
}
child.kill("SIGKILL");
const { outcome } = await child.result;
console.log(outcome);
