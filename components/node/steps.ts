import type * as command from "@pulumi/command";
import type { ClusterContext } from "../context";
import { applyScript, type NodePlan } from "../plan";
import type { UnderlayMachine } from "../underlay/machine";
import type { KeyPair } from "./keys";
import { evenIfFailed, type NodeConnection, type NodeLogin, remoteStep } from "./remote";

/** A machine whose lasting host key is known and whose files are in effect. */
export interface PreparedNode {
  node: NodePlan;
  machine: UnderlayMachine;
  connection: NodeConnection;
  prepared: command.remote.Command;
}

/**
 * Learns a new machine's lasting host key over a connection that is pinned to the one-time key, and gives a connection that is pinned to the
 * lasting one. The one-time key goes later, with the node's files, so that a run that was cut off can begin again.
 */
export function learnHostKey(
  context: ClusterContext,
  machine: UnderlayMachine,
  hostKey: KeyPair,
  login: NodeLogin,
): NodeConnection {
  const { node } = machine;
  const host = evenIfFailed(machine.publicAddress);
  const learned = remoteStep(context, `hostkey-${node.name}`, {
    node: node.name,
    connection: { ...login, host, hostKey: evenIfFailed(hostKey.publicKey) },
    script: printHostKey,
    machine,
    timeoutSeconds: 300,
    firstContact: true,
    // What it found stays true as long as the machine lives: a later wording must not ask again with a key that is gone. The connection is
    // not ignored: an ignored input keeps its old value in a replacement too, and a new machine has a new address.
    opts: { ignoreChanges: ["create"] },
  });
  return { ...login, host, hostKey: evenIfFailed(learned.stdout) };
}

/**
 * Puts a node's files into effect.
 * @param firstBoot whether cloud-init does the same at the machine's first boot, which is waited for
 */
export function prepareNode(
  context: ClusterContext,
  machine: UnderlayMachine,
  connection: NodeConnection,
  firstBoot: boolean,
): PreparedNode {
  const { node } = machine;
  const prepared = remoteStep(context, `tune-${node.name}`, {
    node: node.name,
    connection,
    script: tuneScript(node, firstBoot),
    machine,
    timeoutSeconds: 900,
    // Nothing of an existing machine's files is known only after its preflight, so the order must be said.
    opts: { dependsOn: [machine.resource] },
  });
  return { node, machine, connection, prepared };
}

/**
 * Waits beyond the key until the SSH server shows it, where that can be asked: the server takes it up by a reload, and a session that ends in
 * the middle of that may end broken.
 */
const printHostKey = `
for attempt in $(seq 1 240); do
  if [ -s /etc/ssh/ssh_host_ed25519_key.pub ] && [ -e /var/lib/zerosteal/files ]; then break; fi
  if [ "$attempt" = 240 ]; then echo 'the node made no ed25519 host key within 120 s' >&2; exit 1; fi
  sleep 0.5
done
key=$(cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)
for attempt in $(seq 1 40); do
  if ! command -v ssh-keyscan >/dev/null || [[ $(ssh-keyscan -t ed25519 127.0.0.1 2>/dev/null) == *"$key"* ]]; then break; fi
  sleep 0.5
done
echo "$key"
`;

/** Waits for the first boot's run of the same script, then runs it with the files as planned: nothing happens when nothing changed. */
function tuneScript(node: NodePlan, firstBoot: boolean): string {
  return `${firstBoot ? afterFirstBoot : ""}
bash /dev/stdin <<'END_OF_SETUP'
${applyScript(node.files).trimEnd()}
END_OF_SETUP
`;
}

const afterFirstBoot = `
cloud-init status --wait >/dev/null || {
  code=$?
  # 2 means recoverable errors, which the script below would meet again and name.
  if [ "$code" != 2 ]; then
    cloud-init status --long >&2
    tail -n 20 /var/log/cloud-init-output.log >&2
    exit "$code"
  fi
}
# Long before the end of this session: see above.
if [ -e /etc/ssh/ssh_host_ecdsa_key ]; then
  rm -f /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ecdsa_key.pub
  systemctl try-reload-or-restart ssh.service
fi`;
