import { SandboxError } from "@sandboxlib/core";
import type { Backend } from "@sandboxlib/core/backend";

/** The backends whose tool sets PR_SET_NO_NEW_PRIVS itself. */
const SET_IT: ReadonlySet<string> = new Set(["bubblewrap", "namespaces"]);

/** Makes a backend start its tool with PR_SET_NO_NEW_PRIVS, so that no program in the sandbox can gain privileges. */
export function withNoNewPrivileges(backend: Backend): Backend {
  if (SET_IT.has(backend.name)) return backend;
  return {
    ...backend,
    probe: (host) => backend.probe(host),
    plan(config, host, found) {
      const plan = backend.plan(config, host, found);
      if ("refusal" in plan || plan.kind === "engine") return plan;
      const setpriv = host.which("setpriv");
      if (setpriv === undefined) throw noSetpriv(backend.name);
      return { ...plan, argv: [setpriv, "--no-new-privs", "--", ...plan.argv] };
    },
  };
}

function noSetpriv(backend: string): SandboxError {
  return new SandboxError(
    "BACKEND_UNAVAILABLE",
    "there is no setpriv(1) to keep the program from gaining privileges",
    { backend, hint: "Install util-linux." },
  );
}
