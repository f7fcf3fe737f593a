export type { Attack, Seen } from "./attack.js";
export { attacks } from "./attacks/index.js";
export type { Field } from "./field.js";
export { noProgram } from "./program.js";
export { type Library, type Proof, type Proved, prove } from "./prove.js";
