import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pagesHere, placesOf } from "../../src/doctor/places.js";

const HOSTS = join(import.meta.dirname, "../../../../docs/hosts");
const RELEASE = "6.8.0-50-generic";

test.each([
  ["/.dockerenv", {}, RELEASE, ["docker.md"]],
  ["/run/.containerenv", {}, RELEASE, ["docker.md"]],
  ["/opt/google/cros-containers", {}, RELEASE, ["chromeos.md"]],
  ["", { KUBERNETES_SERVICE_HOST: "10.0.0.1" }, RELEASE, ["kubernetes.md"]],
  ["/.dockerenv", { GITHUB_ACTIONS: "true" }, RELEASE, ["docker.md", "github-actions.md"]],
  ["", {}, "5.15.153.1-microsoft-standard-WSL2", ["wsl2.md"]],
  ["", { GITHUB_ACTIONS: "", KUBERNETES_SERVICE_HOST: "" }, RELEASE, []],
])("%j, %j and %j have the pages %j, which are there", (file, env, release, pages) => {
  const places = placesOf({ exists: (path) => path === file, env, release });
  expect(places.map(({ page }) => page)).toEqual(pages);
  for (const page of pages) expect(existsSync(join(HOSTS, page))).toBe(true);
});

test("a pod of an engine that leaves its marker is lifted by the pod's fields", () => {
  const env = { KUBERNETES_SERVICE_HOST: "10.0.0.1" };
  const [first] = placesOf({ exists: () => true, env, release: RELEASE });
  expect(first?.fixes.procfs).toContain("procMount");
});

test("their addresses are in the repository of this package", () => {
  process.env["GITHUB_ACTIONS"] ??= "true";
  expect(pagesHere().map(({ url }) => url)).toContain(
    "https://github.com/sandboxlib/sandboxlib/blob/main/docs/hosts/github-actions.md",
  );
});
