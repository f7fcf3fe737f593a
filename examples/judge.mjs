// Runs programs that nobody has read, with limits on time and output, and says of each what a judge would say.
import { createSandbox, verdictOf } from "@sandboxlib/core";

const sandbox = await createSandbox({ cwd: "/", limits: { wallTime: 5 } });

for (const script of ["echo 42", "exit 3", "kill -SEGV $$", "sleep 60", "yes"]) {
  const options = { maxOutput: 4096 };
  const ended = await sandbox.run(["sh", "-c", script], options).catch((error) => error);
  const { status, message } = verdictOf(ended);
  console.log(`${script.padEnd(13)} ${status} ${message}`);
}
