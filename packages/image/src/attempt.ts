import { isSandboxError } from "@sandboxlib/core";

/** Takes one step of describing an image; `otherwise` counts where it is refused and that is no end. */
export type Attempt = <Type>(step: () => Type, otherwise: Type) => Type;

/** What is refused ends it. */
export const orThrow: Attempt = (step) => step();

/** What is refused becomes a note, for one who only looks at the image. */
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
