/** A reporter of vitest for which a run without a single test has failed, as vitest itself does not think. */
export default function noneIsAFailure() {
  return {
    onTestRunEnd(modules) {
      const tests = modules.flatMap(({ children }) => [...children.allTests()]);
      if (tests.some((test) => test.result().state !== "skipped")) return;
      const reason = tests
        .map(({ parent }) => parent.name)
        .find((name) => name.startsWith("skipped: "));
      console.error(`nothing was run; ${reason ?? "no title has this part"}`);
      process.exitCode = 1;
    },
  };
}
