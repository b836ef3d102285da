import * as pulumi from "@pulumi/pulumi";
import { hetzner, hosts, TunedCluster, type TunedClusterArgs } from "../components";
import type { ClusterSettings, DoctorSettings, HetznerUnderlay, HostsUnderlay } from "./arguments";

// The components of the library in the shape that Pulumi gives to other languages: see docs/decisions/other-languages.md.

/** What all clusters have in common. */
export interface SharedArgs extends ClusterSettings {
  /** Raise it to have a new operator certificate made; the old one stays valid until it expires. Default 1. */
  kubeconfigGeneration?: number;
  /** Settings of the doctor's run. */
  doctor?: DoctorSettings;
}

/** The operator's SSH key pair. */
export interface OperatorKey {
  /** OpenSSH line. */
  publicKey: pulumi.Input<string>;
  /** OpenSSH or PEM text without a passphrase. Always kept as a secret. */
  privateKey: pulumi.Input<string>;
  /** Id or name of the key in the cloud, if the project has it already. */
  existing?: pulumi.Input<string>;
}

/** Arguments of a cluster on Hetzner Cloud. */
export interface HetznerClusterArgs extends SharedArgs {
  /** Where the machines are made. */
  underlay: HetznerUnderlay;
  /** The operator's SSH key pair. Default: one is made and kept in the state, encrypted. */
  sshKey?: OperatorKey;
  /** Token with which the doctor reads the cloud's routes. Default: configuration `hcloud:token`, else HCLOUD_TOKEN of the environment. */
  hcloudToken?: pulumi.Input<string>;
}

/** Arguments of a cluster on existing machines. One of `sshPrivateKey` and `sshAgent` is needed. */
export interface HostsClusterArgs extends SharedArgs {
  /** The machines and how they reach each other. */
  underlay: HostsUnderlay;
  /** Private half of the key that the machines let in: OpenSSH or PEM text without a passphrase. Always kept as a secret. */
  sshPrivateKey?: pulumi.Input<string>;
  /** Socket of an SSH agent that holds the key. Default: `sshPrivateKey` is used. */
  sshAgent?: string;
}

/** A Kubernetes cluster tuned for network latency on Hetzner Cloud, planned whole before anything is created, and verified live. */
export class HetznerCluster extends pulumi.ComponentResource {
  /** Operator's kubeconfig, secret: a client certificate good for a year. */
  public readonly kubeconfig: pulumi.Output<string>;
  /** JSON report of the doctor's last run within an update. */
  public readonly doctorReport: pulumi.Output<string>;
  /** Public address of each node by name. */
  public readonly addresses: pulumi.Output<{ [key: string]: string }>;

  constructor(name: string, args: HetznerClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("zerosteal:index:HetznerCluster", name, {}, opts);
    const cluster = tuned(this, name, { ...args, underlay: hetzner(args.underlay) });
    this.kubeconfig = cluster.kubeconfig;
    this.doctorReport = cluster.doctorReport;
    this.addresses = cluster.addresses;
    this.registerOutputs({ kubeconfig: this.kubeconfig, doctorReport: this.doctorReport, addresses: this.addresses });
  }
}

/** A Kubernetes cluster tuned for network latency on existing machines of any provider, reached by SSH. */
export class HostsCluster extends pulumi.ComponentResource {
  /** Operator's kubeconfig, secret: a client certificate good for a year. */
  public readonly kubeconfig: pulumi.Output<string>;
  /** JSON report of the doctor's last run within an update. */
  public readonly doctorReport: pulumi.Output<string>;
  /** Public address of each node by name. */
  public readonly addresses: pulumi.Output<{ [key: string]: string }>;

  constructor(name: string, args: HostsClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("zerosteal:index:HostsCluster", name, {}, opts);
    const { sshPrivateKey, ...rest } = args;
    const sshKey = sshPrivateKey === undefined ? undefined : { privateKey: sshPrivateKey };
    const cluster = tuned(this, name, { ...rest, sshKey, underlay: hosts(args.underlay) });
    this.kubeconfig = cluster.kubeconfig;
    this.doctorReport = cluster.doctorReport;
    this.addresses = cluster.addresses;
    this.registerOutputs({ kubeconfig: this.kubeconfig, doctorReport: this.doctorReport, addresses: this.addresses });
  }
}

function tuned(parent: pulumi.ComponentResource, name: string, args: TunedClusterArgs): TunedCluster {
  return new TunedCluster(name, args, { parent });
}
