// As much of vitest as the tests of cgroups use, over Node's own runner: vitest itself takes minutes to start where the
// processor is emulated. Bundled in its place.
import { afterEach, beforeEach, describe as describeIn, it as itIn } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  customMatchers,
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";

chai.use(JestExtend).use(JestChaiExpect).use(JestAsymmetricMatchers);
export const expect = (value, message) => chai.expect(value, message);
Object.assign(expect, chai.expect, globalThis[ASYMMETRIC_MATCHERS_OBJECT]);
globalThis[GLOBAL_EXPECT] = expect;
setState({ assertionCalls: 0, isExpectingAssertions: false }, expect);
chai.expect.extend(expect, customMatchers);

/** Tries until the matcher holds, or the time is over. */
expect.poll = (read, { timeout = 10_000 } = {}) => ({
  async toEqual(wanted) {
    const deadline = performance.now() + timeout;
    for (;;) {
      try {
        return expect(await read()).toEqual(wanted);
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
      await setTimeout(100);
    }
  },
});

export const describe = conditional(describeIn);
export const it = conditional((title, ...rest) => itIn(title, { timeout: 300_000 }, rest.at(-1)));
export { afterEach, beforeEach };

function conditional(run) {
  const skip = (title) => run(title, () => console.log(`# skipped: ${title}`));
  return Object.assign(run, { skip, skipIf: (condition) => (condition ? skip : run) });
}
