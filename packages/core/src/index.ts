export { type CgroupOffer, cgroupOffer } from "./cgroup/offer.js";
export { configJsonSchema } from "./config/json-schema.js";
export { defineConfig, parseConfig } from "./config/parse.js";
export {
  type Config,
  type ConfigInput,
  type Limits,
  type Mount,
  type MountInput,
  NAMESPACES,
  type Namespace,
} from "./config/schema.js";
export { exactWords, isExactVariable, type Word } from "./config/word.js";
export { backendForPlatform, probeOn } from "./discover/choose.js";
export { backendNamed, loadBackend } from "./discover/load.js";
export { type InstalledBackend, installedBackends } from "./discover/manifest.js";
export { bootId, fateOf, ownedName } from "./host/owner.js";
export type { RunOptions, SandboxChild } from "./launch/child.js";
export { type GarbageCollected, gc } from "./launch/gc.js";
export type { InputSource } from "./launch/input-source.js";
export type { LinesOptions } from "./launch/lines.js";
export { toolLimits } from "./launch/prlimit.js";
export type { OutputOption, StdinOption, StdioOptions } from "./launch/stdio.js";
export type { WindowSize } from "./launch/tty.js";
export {
  allCapabilities,
  CAPABILITIES,
  type Capability,
  isCapability,
  type Need,
} from "./needs/capability.js";
export { needs } from "./needs/needs.js";
export type { Backend, Host, HostRun, Missing, Probe } from "./plan/backend.js";
export type {
  LauncherPlan,
  LauncherSetup,
  Observation,
  Plan,
  PlanFd,
  Refusal,
  Report,
  Step,
  ToolPlan,
  Verdict,
} from "./plan/plan.js";
export type {
  FileKind,
  IdExtent,
  IdMap,
  Mirror,
  ResolvedConfig,
  ResolvedMount,
} from "./plan/resolved-config.js";
export type { SandboxOptions } from "./prepare.js";
export { degradeConfigForCapabilities, maximumPossibleIsolation } from "./resolve/degrade.js";
export { realHost } from "./resolve/host.js";
export { type Prefer, type Resolved, resolve } from "./resolve/resolve.js";
export { type Located, locate, type View } from "./resolve/view.js";
export {
  ERROR_CODES,
  type ErrorCode,
  type ErrorDetails,
  isSandboxError,
  SandboxError,
} from "./result/error.js";
export type {
  Checked,
  Dropped,
  Enforced,
  Enforcement,
  Exceeded,
  Outcome,
  SandboxResult,
  Usage,
} from "./result/result.js";
export { enforces } from "./result/result.js";
export { signalName, signalNumber } from "./result/signal.js";
export { type JudgeStatus, type JudgeVerdict, verdictOf } from "./result/verdict.js";
export { createSandbox, run, type Sandbox } from "./sandbox.js";
export { createPool, type Pool, type PooledOptions, type PoolOptions } from "./session/pool.js";
export type { CommandOptions, Session } from "./session/session.js";
export type { CommandSettings } from "./session/settings.js";
