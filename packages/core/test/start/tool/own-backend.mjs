// A backend whose tool starts something elsewhere: a process of a session of its own, as a container engine would. The
// file PLACE/NAME holds its pid, and its `end` kills it and removes the file. What the tool finds in its own directory
// it lists in PLACE/seen. Plain JavaScript, for the tests and for a caller that they kill.

export const elsewhere = ({ OWN_DIRECTORY, OWN_NAME }, place, change = {}) => ({
  apiVersion: 1,
  name: "elsewhere",
  capabilities: new Set(["cwd"]),
  probe: () => Promise.resolve({ available: true }),
  plan: () => ({
    kind: "tool",
    argv: ["/bin/sh", "-c", TOOL, `${place}/${OWN_NAME}`, OWN_DIRECTORY, place],
    env: { TEXT: "it's", WHERE: `${OWN_DIRECTORY}/sub` },
    ownDirectory: [
      { type: "directory", path: "sub", mode: 0o1777 },
      { type: "file", path: "sub/text", mode: 0o444, data: "hello" },
      { type: "file", path: "bytes", mode: 0o600, data: Uint8Array.of(0, 255) },
    ],
    end: ["/bin/sh", "-c", END, `${place}/${OWN_NAME}`, place],
    mechanisms: { cwd: "none" },
    interpret: ({ exitCode, signal }) =>
      signal === null ? { kind: "exited", exitCode } : { kind: "signaled", signal },
    ...change,
  }),
});

const TOOL = `
umask 077
setsid sh -c 'echo $$ > "$0"; exec sleep 1000' "$0" </dev/null >/dev/null 2>&1 &
until [ -s "$0" ]; do sleep 0.01; done
echo "$TEXT $WHERE" | sed "s:$1:DIR:" > "$2/seen"
(cd "$1" && find . -printf "%y %#m %p\\n" | sort) >> "$2/seen"
mkdir -m 0 "$1/sub/closed"
touch "$2/ready"
shift 2
exec "$@"
`;
const END = `
[ "$TEXT" = "it's" ] || exit 3
[ -e "$1/stuck" ] && { echo "it is stuck" >&2; exit 1; }
[ -s "$0" ] || exit 0
kill -s KILL "$(cat "$0")"
rm -f -- "$0"
`;
