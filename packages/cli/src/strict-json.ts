import { type ParseErrorCode, printParseErrorCode, visit } from "jsonc-parser";

/** Where something is in a text. Both count from 1. */
interface Place {
  readonly line: number;
  readonly column: number;
}

/**
 * Parses JSON and refuses what `JSON.parse` reads in silence: a key that an object has twice, of which it takes the last.
 *
 * @throws SyntaxError saying what is wrong, and in which line and column.
 */
export function parseStrictJson(text: string): unknown {
  const problem = firstProblem(text);
  if (problem !== undefined) throw new SyntaxError(problem);
  return JSON.parse(text);
}

function firstProblem(text: string): string | undefined {
  const objects: Map<string, Place>[] = [];
  let problem: string | undefined;
  visit(
    text,
    {
      onObjectBegin: () => void objects.push(new Map()),
      onObjectEnd: () => void objects.pop(),
      onObjectProperty(name, _offset, _length, line, column) {
        const at = { line: line + 1, column: column + 1 };
        const before = objects.at(-1)?.get(name);
        if (before === undefined) objects.at(-1)?.set(name, at);
        else
          problem ??= `the key ${JSON.stringify(name)} is there twice: at ${shown(before)}, and at ${shown(at)}`;
      },
      onError(error, _offset, _length, line, column) {
        problem ??= `it is not JSON: ${inWords(error)} at ${shown({ line: line + 1, column: column + 1 })}`;
      },
    },
    { disallowComments: true, allowTrailingComma: false },
  );
  return problem;
}

function shown({ line, column }: Place): string {
  return `line ${line}, column ${column}`;
}

/** The library names its errors in camel case: `CommaExpected` becomes `comma expected`. */
function inWords(error: ParseErrorCode): string {
  return printParseErrorCode(error)
    .replace(/(?<=[a-z])[A-Z]/g, " $&")
    .toLowerCase();
}
