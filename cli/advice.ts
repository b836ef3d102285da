/*
 * Words for what the engine's SSH steps say when a machine cannot be reached or will not talk. They come from Go's SSH library and name
 * neither cause nor cure.
 */

interface Advice {
  /** What the engine says. */
  says: RegExp;
  /** What it means, and what to do. */
  means: string;
}

const table: Advice[] = [
  {
    says: /unable to authenticate/,
    means:
      "It does not let this key in. Put the key's public half into the user's authorized_keys there, or give another key " +
      "(sshKey, zerosteal:sshKeyFile) or another user (underlay.user).",
  },
  {
    says: /host key mismatch|no common algorithm for host key/,
    means:
      "It shows another host key than the planned one, so nothing was sent to it. Compare `ssh-keyscan -t ed25519 ADDRESS` with the " +
      "provider's console; only if they agree, correct hostKey in underlay.machines.",
  },
  {
    says: /no such host/,
    means: "Its name is not known here. Correct address in underlay.machines, or this machine's name service.",
  },
  {
    says: /dial tcp .*(i\/o timeout|connection timed out|no route to host|network is unreachable|connection refused)/,
    means:
      "It does not answer. See that it is switched on, that its address and sshPort are right (underlay.machines, for existing hosts), " +
      "and that its firewall lets this machine in.",
  },
];

/** What an error of the engine means and what to do about it; undefined where its own words say that. */
export function adviceFor(message: string): string | undefined {
  return table.find(({ says }) => says.test(message))?.means;
}

/** An error of a remote step without the text of its script, which the engine repeats whole before what the machine said. */
export function withoutScript(message: string): string {
  return message.replace(/: running "(?:[^"\\]|\\.)*":\n/s, ":\n");
}
