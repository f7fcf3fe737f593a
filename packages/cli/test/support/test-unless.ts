import { test } from "vitest";

/** A test that is skipped where something is missing, with the reason in its title. */
export function testUnless(
  reason: string | undefined,
  title: string,
  body: () => unknown,
  timeout?: number,
): void {
  if (reason === undefined) test(title, body, timeout);
  else test.skip(`${title} (skipped: ${reason})`);
}
