// Sandboxes that are set up ahead: each is used for one run, and a run costs little more than starting the program.
import { createPool } from "@sandboxlib/core";

const pool = await createPool({ cwd: "/" }, { size: 2 });
await pool.ready();
for (const word of ["one", "two", "three"]) {
  const { stdout } = await pool.run(["sh", "-c", "ls /tmp; echo $0 | tee /tmp/mark", word]);
  console.log(
    Buffer.from(stdout ?? [])
      .toString()
      .trimEnd(),
  );
}
await pool.close();
