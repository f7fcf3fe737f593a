// What authors of backends use, beside what callers do: `@sandboxlib/core/backend`.
export {
  type Backend,
  type BackendDefinition,
  capabilitiesOf,
  defineBackend,
  type Found,
  type Host,
  type HostFd,
  type HostRun,
  type HostRunOptions,
  type Missing,
  type Probe,
} from "./backend/backend.js";
export type {
  EngineCommand,
  EnginePlan,
  EngineStdio,
  KeepableCapability,
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
  Undo,
} from "./backend/plan.js";
export { OWN_DIRECTORY, OWN_NAME } from "./backend/plan.js";
export type {
  FileKind,
  IdExtent,
  IdMap,
  Mirror,
  ResolvedConfig,
  ResolvedMount,
  SeccompFilter,
} from "./backend/resolved-config.js";
export type { Ended, Running, Streams, Verdict } from "./backend/running.js";
export { type AppArmorProfile, userNamespaceProfile } from "./host/apparmor.js";
export { holdsDevices } from "./host/devices.js";
export { realHost } from "./host/host.js";
export { launcherLimits } from "./start/launcher/command.js";
export { guest } from "./start/tool/guest.js";
export { OWN_BASE } from "./start/tool/own-removal.js";
export { toolLimits } from "./start/tool/prlimit.js";
