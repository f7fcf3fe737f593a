// What the packages of this repository share, each with the core of its own version: `@sandboxlib/core/internal`. It may
// change with any version.
export { backendNamed, importedBy, loadBackend } from "./backend/discovery.js";
export { type InstalledBackend, installedBackends } from "./backend/installed.js";
export { basesOf } from "./capability/capability.js";
export { type Delegation, probeCgroups } from "./cgroup/delegation.js";
export { checkKind, checkKinds, KINDS, type Kind } from "./config/kinds.js";
export { nearest } from "./config/nearest.js";
export { invalidOption } from "./config/options.js";
export { fieldPath, parseFields } from "./config/parse.js";
export { absolutePath, exactText, exactWords, isExactVariable } from "./config/text.js";
export { randomHex } from "./host/lazily.js";
export { bootId, fateOf, ownedName } from "./host/owner.js";
export { removeTree } from "./host/remove-tree.js";
export { type Located, locate } from "./paths/view.js";
export { probeOn } from "./resolve/probe.js";
export { isUnbegun, refusedPartOf } from "./result/error.js";
export { UNTRIED } from "./start/sandbox-options.js";
