import { isSandboxError } from "@sandboxlib/core";

/** Runs a step that may refuse the image. When a refusal is not the end, the result is `otherwise`. */
export type Attempt = <Type>(step: () => Type, otherwise: Type) => Type;

/** A refusal is thrown. */
export const orThrow: Attempt = (step) => step();

/** A refusal becomes a note, for a caller who only inspects the image. */
export function orNote(notes: string[]): Attempt {
  return (step, otherwise) => {
    try {
      return step();
    } catch (error) {
      if (!isSandboxError(error)) throw error;
      const { message, hint } = error;
      notes.push(`a run is refused: ${message}${hint === undefined ? "" : ` (${hint})`}`);
      return otherwise;
    }
  };
}
