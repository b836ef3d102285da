import { chmodSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { waitNetworkPath } from "../../components/plan";
import { type MachineRun, PretendMachine } from "../plan/machine";

/**
 * Stands for kubeadm: leaves behind what it leaves behind, and refuses what it refuses. `init` and `join` end early, as if cut off, after
 * the phase that the file `cut` names.
 */
const kubeadm = `#!/bin/bash
echo "kubeadm $*" >>/machine/calls
cut=$(cat /machine/cut 2>/dev/null)
# done_with PHASE: the point at which a run may be cut off, once.
done_with() { if [ "$cut" = "$1" ]; then rm /machine/cut; echo "killed after $1" >&2; exit 137; fi; }
case "$1" in
  reset)
    if [ -e /machine/no-reset ]; then echo 'error: cannot unmount /var/lib/kubelet' >&2; exit 1; fi
    rm -rf /etc/kubernetes/manifests/* /etc/kubernetes/pki/* /etc/kubernetes/*.conf /var/lib/etcd/*
    ;;
  init)
    for file in /etc/kubernetes/manifests/*.yaml; do
      if [ -e "$file" ]; then echo "[ERROR FileAvailable]: $file already exists" >&2; exit 1; fi
    done
    cp "$3" /machine/document
    mkdir -p /etc/kubernetes/pki /etc/kubernetes/manifests
    openssl req -x509 -newkey rsa:2048 -nodes -keyout /etc/kubernetes/pki/ca.key -out /etc/kubernetes/pki/ca.crt -subj /CN=ca 2>/dev/null
    done_with certs
    touch /etc/kubernetes/admin.conf
    touch /etc/kubernetes/manifests/etcd.yaml
    done_with etcd
    touch /etc/kubernetes/manifests/kube-apiserver.yaml
    mkdir -p /machine/nodes && echo 'True' >/machine/nodes/prod-control-plane-1
    done_with addons
    ;;
  join)
    cp "$3" /machine/document
    for node in /machine/nodes/prod-web-1; do
      if [ -e "$node" ] && grep -q True "$node"; then
        echo 'a Node with name "prod-web-1" and status "Ready" already exists in the cluster' >&2
        exit 1
      fi
    done
    if [ -e /machine/bad-token ]; then echo 'could not find a JWS signature for token ID' >&2; exit 1; fi
    touch /etc/kubernetes/bootstrap-kubelet.conf
    done_with kubelet-start
    touch /etc/kubernetes/kubelet.conf
    echo 'True' >/machine/nodes/prod-web-1
    done_with bootstrap
    rm /etc/kubernetes/bootstrap-kubelet.conf
    ;;
  token) echo abcdef.0123456789abcdef ;;
esac
`;

/** Stands for kubectl and the API behind it: a file a Node, which holds its readiness. */
const kubectl = `#!/bin/bash
shift
echo "kubectl $*" >>/machine/calls
file=/machine/nodes/$3
case "$1 $2" in
  'get node')
    [ -e "$file" ] || { echo "Error from server (NotFound)" >&2; exit 1; }
    cat "$file"
    ;;
  'create -f') file=/machine/nodes/$(sed -n 's/.*"name": "\\(.*\\)".*/\\1/p' "$3"); echo Unknown >"$file"; cp "$3" /machine/object ;;
  'patch node') [ -e "$file" ] && cp "\${5#*=}" /machine/patch ;;
  'drain '*)
    if [ -e /machine/dies-in-drain ]; then echo Unknown >"/machine/nodes/$2"; fi
    if [ -e /machine/no-drain ] || [ -e /machine/dies-in-drain ]; then echo 'error: cannot evict pod: disruption budget' >&2; exit 1; fi
    ;;
  'delete node') rm "$file" ;;
esac
`;

/** A machine on which the steps of a cluster run, with stand-ins for Kubernetes' tools. */
export class SteppingMachine {
  private readonly machine: PretendMachine;

  constructor(readonly folder: string) {
    this.machine = new PretendMachine(folder);
    mkdirSync(path.join(folder, "nodes"));
    mkdirSync(path.join(folder, "kubernetes"));
    for (const [name, text] of Object.entries({ kubeadm, kubectl, journalctl: "#!/bin/sh\n" })) {
      this.machine.write(`bin/${name}`, text.replaceAll("/machine", folder));
      chmodSync(path.join(folder, "bin", name), 0o755);
    }
  }

  /** Runs steps one after the other on one machine, each with its standard input; what it has on its disk is gone afterwards. */
  run(...steps: { script: string; stdin?: string }[]): MachineRun {
    const enter = [
      "mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/log",
      `mkdir -p /var/lib/zerosteal /etc/kubernetes/manifests ${path.dirname(waitNetworkPath)}`,
      `install -m 0755 /dev/null ${waitNetworkPath}`,
      "set +e",
    ];
    const runs = steps.map(({ script, stdin = "" }, index) => {
      const file = this.machine.write(`step-${index}`, script);
      return `bash ${file} <${this.machine.write(`stdin-${index}`, stdin)}`;
    });
    return this.machine.run([...enter, ...runs].join("\n"));
  }

  /** Calls of the tools so far, oldest first. */
  calls(tool = ""): string[] {
    return this.read("calls")
      .split("\n")
      .filter((line) => line.startsWith(tool) && line !== "");
  }

  /** Switches a stand-in's behaviour on, or names the phase after which it is cut off. */
  set(name: string, value = ""): void {
    this.machine.write(name, value);
  }

  read(name: string): string {
    return existsSync(path.join(this.folder, name)) ? readFileSync(path.join(this.folder, name), "utf8") : "";
  }
}
