import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { after, findingsIn, IN_USER, noUser } from "../support/doctor.js";
import { scratch } from "../support/scratch.js";
import { testUnless } from "../support/test-unless.js";

testUnless(noUser, "a try that hangs is said to have hung, and the doctor goes on", () => {
  const sleeper = join(scratch(), "true");
  // It is what every try runs in the end.
  writeFileSync(sleeper, "#!/bin/sh\nexec sleep 1000\n", { mode: 0o755 });
  const cover = after(`mount --bind ${sleeper} /usr/bin/true`);
  const findings = findingsIn({ prefix: [...IN_USER, ...cover] });
  expect(findings).toEqual(
    ["unshare --user --map-root-user --mount true", "unshare --mount true"].map((command) => ({
      what: expect.stringContaining(`(${command})`),
      works: false,
      layer: "unknown",
      cause: `\`${command}\` did not end within 10 seconds, and was killed`,
      fix: `Look at what it waits for: strace -f ${command}`,
    })),
  );
});
