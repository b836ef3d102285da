import type * as command from "@pulumi/command";
import type { ClusterContext } from "../context";
import { applyScript, type NodePlan } from "../plan";
import type { UnderlayMachine } from "../underlay/hetzner";
import type { KeyPair } from "./keys";
import { type NodeConnection, remoteStep } from "./remote";

/** A machine whose lasting host key is known and whose files are in effect. */
export interface PreparedNode {
  node: NodePlan;
  machine: UnderlayMachine;
  connection: NodeConnection;
  prepared: command.remote.Command;
}

/**
 * Learns a machine's lasting host key over a connection that is pinned to the one-time key, then puts the node's files into effect over a
 * connection that is pinned to the lasting one. The one-time key goes last, so that a run that was cut off can begin again.
 */
export function prepareNode(
  context: ClusterContext,
  machine: UnderlayMachine,
  hostKey: KeyPair,
  clientKey: KeyPair,
): PreparedNode {
  const { node, server } = machine;
  const host = machine.publicAddress;
  const privateKey = clientKey.privateKey;
  const learned = remoteStep(context, `hostkey-${node.name}`, {
    node: node.name,
    connection: { host, privateKey, hostKey: hostKey.publicKey },
    script: learnHostKey,
    machine: server,
    timeoutSeconds: 300,
    firstContact: true,
    // What it found stays true as long as the machine lives: a later wording must not ask again with a key that is gone. The connection is
    // not ignored: an ignored input keeps its old value in a replacement too, and a new machine has a new address.
    opts: { ignoreChanges: ["create"] },
  });
  const connection = { host, privateKey, hostKey: learned.stdout };
  const prepared = remoteStep(context, `tune-${node.name}`, {
    node: node.name,
    connection,
    script: tuneScript(node),
    machine: server,
    timeoutSeconds: 900,
  });
  return { node, machine, connection, prepared };
}

/** Waits one step beyond the key: the SSH server takes it up by a reload, and a session that ends in the middle of that may end broken. */
const learnHostKey = `
for attempt in $(seq 1 240); do
  if [ -s /etc/ssh/ssh_host_ed25519_key.pub ] && [ -e /var/lib/zerosteal/files ]; then break; fi
  if [ "$attempt" = 240 ]; then echo 'the node made no ed25519 host key within 120 s' >&2; exit 1; fi
  sleep 0.5
done
cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub
`;

/** Waits for the first boot's run of the same script, then runs it with the files as planned: nothing happens when nothing changed. */
function tuneScript(node: NodePlan): string {
  return `
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
fi
bash /dev/stdin <<'END_OF_SETUP'
${applyScript(node.files).trimEnd()}
END_OF_SETUP
`;
}
