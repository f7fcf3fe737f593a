// What authors of backends use, beside what callers do: `@sandboxlib/core/backend`.
export {
  type Backend,
  type BackendDefinition,
  capabilitiesOf,
  defineBackend,
  type Host,
  type HostRun,
  type Missing,
  type Probe,
} from "./backend/backend.js";
export type {
  EngineCommand,
  EnginePlan,
  EngineStdio,
  LauncherPlan,
  LauncherSetup,
  Observation,
  OwnEntry,
  Plan,
  PlanFd,
  Refusal,
  Report,
  Step,
  ToolPlan,
} from "./backend/plan.js";
export { OWN_DIRECTORY, OWN_NAME } from "./backend/plan.js";
export type {
  FileKind,
  IdExtent,
  IdMap,
  Mirror,
  ResolvedConfig,
  ResolvedMount,
} from "./backend/resolved-config.js";
export type { Ended, Running, Streams, Verdict } from "./backend/running.js";
export { realHost } from "./host/host.js";
export { guest } from "./start/tool/guest.js";
export { OWN_BASE } from "./start/tool/own-removal.js";
export { toolLimits } from "./start/tool/prlimit.js";
