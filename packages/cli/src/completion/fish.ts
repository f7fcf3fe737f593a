import { COMMANDS, type CommandName, commandNames } from "../commands.js";
import { OPTIONS, type OptionName, optionsOf } from "../options.js";
import {
  doubleWords,
  isPath,
  programCommands,
  spellings,
  subcommandsOf,
  valuedOptions,
  wordsFor,
} from "./words.js";

/** Completions for fish 3 and newer. */
export function fishCompletion(): string {
  const every = new Set(commandNames().flatMap(optionsOf));
  return `# Completions of sandboxlib and run-sandbox for fish. Made by \`sandboxlib completion fish\`.

# Prints the command whose options may come next; \`program\` after ROOT or \`--\`, and \`none\` before the command.
function __sandboxlib_at
    set -l words (commandline -opc)
    set -l command run
    set -l name (string split / -- $words[1])[-1]
    set -e words[1]
    if test "$name" = sandboxlib
        if not set -q words[1]
            echo none
            return
        end
        set command $words[1]
        set -e words[1]
        if contains -- $command ${doubleWords()
          .map(([first]) => first)
          .join(" ")}
            if not set -q words[1]
                echo $command
                return
            end
            set command "$command $words[1]"
            set -e words[1]
        end
    end
    set -l valued ${valuedOptions().flatMap(spellings).join(" ")}
    while set -q words[1]
        switch $words[1]
            case --
                break
            case '-*'
                if contains -- $words[1] $valued
                    set -e words[1]
                end
                set -e words[1]
            case '*'
                break
        end
    end
    if set -q words[1]; and contains -- "$command" ${inQuotes(programCommands())}
        echo program
    else
        echo $command
    end
end

function __sandboxlib_in
    contains -- (__sandboxlib_at) $argv
end

complete -c sandboxlib -c run-sandbox -f
complete -c sandboxlib -c run-sandbox -n '__sandboxlib_in program ${inQuotes([...programCommands(), "image"])}' -F
complete -c sandboxlib -c run-sandbox -n '__sandboxlib_in program ${inQuotes(programCommands())}' -a '(__fish_complete_command)'
complete -c sandboxlib -n '__sandboxlib_in none' -l help -s h -d 'Prints this help.'
complete -c sandboxlib -n '__sandboxlib_in none' -l version -d 'Prints the version.'
${commandNames().map(commandLine).join("\n")}
${doubleWords().map(doubleLine).join("\n")}
${[...every].map(optionLine).join("\n")}
`;
}

function doubleLine([first, seconds]: readonly [string, readonly string[]]): string {
  const own = `complete -c sandboxlib -n '__sandboxlib_in none' -a ${first} -d 'Sandboxes for many commands.'`;
  return `${own}\ncomplete -c sandboxlib -n '__sandboxlib_in ${first}' -a ${quoted(seconds.join(" "))}`;
}

function inQuotes(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(" ");
}

function commandLine(name: CommandName): string {
  if (name.includes(" ")) return "";
  const own = `complete -c sandboxlib -n '__sandboxlib_in none' -a ${name} -d ${quoted(COMMANDS[name].summary)}`;
  const words = subcommandsOf(name);
  if (words.length === 0) return own;
  return `${own}\ncomplete -c sandboxlib -n '__sandboxlib_in ${name}' -a ${quoted(words.join(" "))}`;
}

function optionLine(name: OptionName): string {
  const option = OPTIONS[name];
  const takers = commandNames().filter((command) => option.commands.includes(command));
  const words = wordsFor(option);
  const value = [
    option.argument === undefined ? "" : isPath(option) ? " -r -F" : " -x",
    words.length === 0 ? "" : ` -a ${quoted(words.join(" "))}`,
    option.short === undefined ? "" : ` -s ${option.short}`,
  ].join("");
  const help = /^.*?[.](?= |$)/.exec(option.help)?.[0] ?? option.help;
  return `complete -c sandboxlib -c run-sandbox -n '__sandboxlib_in ${inQuotes(takers)}' -l ${name}${value} -d ${quoted(help)}`;
}

/** Between single quotes, fish knows a backslash before a quote or a backslash only. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&").replaceAll("`", "")}'`;
}
