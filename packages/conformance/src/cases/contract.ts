import assert from "node:assert/strict";
import { allCapabilities, isCapability } from "@sandboxlib/core";
import { capabilitiesOf, realHost } from "@sandboxlib/core/backend";
import { basesOf } from "@sandboxlib/core/internal";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";

export const contract: Topic = {
  title: "contract",
  isAlone: true,
  cases: [
    {
      title: "the name is one lower-case word, and the API version is 1",
      async run({ kit: { backend } }) {
        assert.match(backend.name, /^[a-z][a-z0-9-]*$/);
        assert.equal(backend.apiVersion, 1);
      },
    },
    {
      title: "what is declared is in the vocabulary, and so is what is missing on this host",
      async run({ kit: { backend, missing } }) {
        const words = [...backend.capabilities, ...missing.keys()];
        assert.deepEqual(
          words.filter((word) => !isCapability(word)),
          [],
        );
        assert.deepEqual(
          [...missing.keys()].filter((word) => !capabilitiesOf(backend).has(word)),
          [],
        );
        assert([...missing.values()].every((reason) => reason !== ""));
      },
    },
    {
      title: "what holds in part is declared, and the part is told",
      async run({ kit: { backend } }) {
        for (const [word, part] of Object.entries(backend.partly ?? {})) {
          assert(isCapability(word) && backend.capabilities.has(word), word);
          assert(typeof part === "string" && part !== "", `${word} does not say which part`);
        }
      },
    },
    {
      title: "a capability that builds on another is declared with it",
      async run({ kit: { backend } }) {
        const { capabilities } = backend;
        for (const capability of capabilities)
          for (const base of basesOf(capability)) assert(capabilities.has(base), capability);
      },
    },
    {
      title: "the working directory, which every config asks for, is declared",
      async run({ kit: { backend } }) {
        assert(backend.capabilities.has("cwd"), "cwd is not declared");
      },
    },
    {
      title:
        "every need of a config is either enforced, with its mechanism, or dropped, with the reason",
      async run({ kit: { backend, has }, sandbox, run }) {
        const { needs, dropped } = await sandbox();
        const { enforcement, backend: name } = succeeded(await run(["sh", "-c", ":"]));
        assert.equal(name, backend.name);
        assert.deepEqual(enforcement.dropped, dropped);
        assert.deepEqual(
          enforcement.enforced.map(({ capability }) => capability),
          needs.map(({ capability }) => capability),
        );
        for (const { capability, mechanism } of enforcement.enforced)
          assert(has.has(capability) && mechanism !== "", capability);
        for (const { capability, reason } of dropped)
          assert(!has.has(capability) && reason !== "", capability);
        const both = [...needs, ...dropped].map(({ capability }) => capability);
        assert(
          both.includes("tree.kill") && both.every((word) => allCapabilities().includes(word)),
        );
      },
    },
    {
      title: "a probe says the same twice, and leaves this process as it was",
      async run({ kit: { given } }) {
        const before = JSON.stringify([process.env, process.cwd()]);
        const [one, two] = [await given.probe(realHost()), await given.probe(realHost())];
        assert.deepEqual(one, two);
        assert.equal(JSON.stringify([process.env, process.cwd()]), before);
      },
    },
  ],
};
