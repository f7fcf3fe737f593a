// One sandbox for many commands: what one leaves in /tmp is there for the next, until the session is closed.
import { createSandbox } from "@sandboxlib/core";

const sandbox = await createSandbox({ cwd: "/" });
const session = await sandbox.openSession();
await session.run(["sh", "-c", "echo 6 > /tmp/six; echo 7 > /tmp/seven"]);
const script = 'echo "$(($(cat /tmp/six) * $(cat /tmp/seven))) $UNIT"';
const { stdout } = await session.run(["sh", "-c", script], {
  env: { PATH: "/usr/bin:/bin", UNIT: "apples" },
  limits: { wallTime: 5 },
});
console.log(
  Buffer.from(stdout ?? [])
    .toString()
    .trimEnd(),
);
await session.close();

const { exitCode } = await sandbox.run(["test", "-e", "/tmp/six"]);
console.log(exitCode === 0 ? "still there" : "gone");
