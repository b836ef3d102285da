/*
 * The steps that make a cluster of prepared nodes, as bash. Each may run again at any time: it looks at what is there, finishes what a
 * cut-off run began and leaves the rest alone. Data that holds secrets comes by standard input, never in the text.
 */
import { type NodePlan, waitNetworkPath } from "../plan";

/** File of a node's kubeadm document, readable by root alone: a join document holds a token. */
const document = "/etc/zerosteal/kubeadm.yaml";

/** Runs kubeadm; its words go to a file for root alone, and their end to the error output when it fails, without the tokens that it names. */
const kubeadmOrShow = `
kubeadm_or_show() {
  local log=/var/log/zerosteal-kubeadm.log
  install -m 0600 /dev/null $log
  kubeadm "$@" >$log 2>&1 || {
    tail -n 25 $log | sed -E 's/\\b[a-z0-9]{6}\\.[a-z0-9]{16}\\b/(token)/g' >&2
    return 1
  }
}`;

const kubectl = "kubectl --kubeconfig=/etc/kubernetes/admin.conf";

/** First control plane: `kubeadm init`, then the planned pod CIDR on its own Node. Reads the server's id; prints the hash of the CA's key, `sha256:…`. */
export function initScript(node: NodePlan): string {
  return `
read -r server_id
healthy() { [ -e /etc/kubernetes/admin.conf ] && ${kubectl} get --raw=/readyz >/dev/null 2>&1; }
settled() { for attempt in $(seq 1 60); do if healthy; then return 0; fi; sleep 1; done; return 1; }
${kubeadmOrShow}
${waitNetworkPath}
install -D -m 0600 /dev/null ${document}
cat >${document} <<'END_OF_DOCUMENT'
${node.kubeadm.trimEnd()}
END_OF_DOCUMENT
# The mark says that an init ran to its end. Without it, what is there is the rest of one that was cut off.
if [ ! -e /var/lib/zerosteal/initialized ]; then
  # Certificates come first: where there are any, it got past its own checks and may have left anything.
  if [ -e /etc/kubernetes/pki ]; then kubeadm_or_show reset --force; fi
  kubeadm_or_show init --config ${document}
  # Tokens are made for one worker at a time; the one that init made is of no use.
  ${kubectl} -n kube-system delete secrets --field-selector type=bootstrap.kubernetes.io/token >/dev/null
  touch /var/lib/zerosteal/initialized
fi
settled || { echo 'the API server is not ready after 60 s' >&2; journalctl -u kubelet -n 15 --no-pager >&2; exit 1; }
${applyNode(node)}
openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der 2>/dev/null | sha256sum | sed 's/^/sha256:/; s/ .*//'
`;
}

/** On a control plane, for a worker: its Node object with the planned pod CIDR, before it joins. Reads the server's id; prints a token of its own. */
export function admitScript(node: NodePlan): string {
  return `
read -r server_id
${applyNode(node)}
kubeadm token create --ttl 2h --usages signing,authentication --description 'joins ${node.name}'
`;
}

/** On a control plane, when a worker leaves: its pods move, then its Node goes. A worker that no longer answers does not hold this up. */
export function dismissScript(node: NodePlan): string {
  return `
if ! ${kubectl} get node ${node.name} >/dev/null 2>&1; then exit 0; fi
ready() { [ "$(${kubectl} get node ${node.name} -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')" = True ]; }
drain() { ${kubectl} drain ${node.name} --ignore-daemonsets --delete-emptydir-data --force --timeout=120s >&2; }
# A machine that was switched off counts as Ready for the better part of a minute: then the drain fails first.
if ! { ready && drain; }; then
  if ready; then exit 1; fi
  echo 'node ${node.name} does not answer: its pods are not moved, only forgotten' >&2
fi
${kubectl} delete node ${node.name} --wait=true --timeout=60s >&2
`;
}

/** On a worker: `kubeadm join` with the token and the CA hash that come by standard input, a line each. */
export function joinScript(node: NodePlan): string {
  return `
read -r token
read -r hash
${kubeadmOrShow}
${waitNetworkPath}
# The kubelet writes this file when the cluster has signed its certificate: the node has joined, even if the run was cut off just then.
# kubeadm would refuse another join as long as the Node is Ready.
if [ -e /etc/kubernetes/kubelet.conf ]; then
  rm -f /etc/kubernetes/bootstrap-kubelet.conf ${document}
  exit 0
fi
if [ -e /etc/kubernetes/bootstrap-kubelet.conf ]; then kubeadm_or_show reset --force; fi
install -D -m 0600 /dev/null ${document}
cat >${document} <<'END_OF_DOCUMENT'
${node.kubeadm.trimEnd()}
END_OF_DOCUMENT
# Filled in by the shell itself: as an argument of a program the token would stand in the process list.
text=$(<${document})
text=\${text//JOIN_TOKEN/$token}
printf '%s\\n' "\${text//CA_CERT_HASH/$hash}" >${document}
kubeadm_or_show join --config ${document} || {
  rm -f ${document}
  echo 'if the token has expired (it lives two hours), replace the step that makes it: admit-${node.name}' >&2
  exit 1
}
rm -f ${document}
`;
}

/** On a control plane: a kubeconfig with a client certificate of its own, good for a year; the CA stays where it is. */
export function kubeconfigScript(): string {
  return `
install -D -m 0600 /dev/null /run/zerosteal-clusterconfig.yaml
${kubectl} -n kube-system get configmap kubeadm-config -o 'jsonpath={.data.ClusterConfiguration}' >/run/zerosteal-clusterconfig.yaml
kubeadm kubeconfig user --config /run/zerosteal-clusterconfig.yaml --client-name zerosteal-operator --org kubeadm:cluster-admins --validity-period 8760h 2>/dev/null
`;
}

/** Makes or completes a Node object. A pod CIDR once set cannot change, so a different one is an error to show, not to hide. */
function applyNode(node: NodePlan): string {
  const file = `/run/zerosteal-${node.name}.json`;
  return `
sed "s/PROVIDER_ID/$server_id/" >${file} <<'END_OF_NODE'
${node.nodeObject.trimEnd()}
END_OF_NODE
if ! ${kubectl} get node ${node.name} >/dev/null 2>&1; then ${kubectl} create -f ${file} >&2; fi
${kubectl} patch node ${node.name} --type=merge --patch-file=${file} >&2`;
}
