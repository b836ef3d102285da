/*
 * `pulumi up` for a new cluster. All settings come from the stack's configuration:
 *   zerosteal:name     name of the cluster, default: the stack's name
 *   zerosteal:cluster  arguments of TunedCluster as one object; wrong ones come back all at once
 *   zerosteal:sshKeyFile  file with the private SSH key that existing hosts let in, optional
 *   zerosteal:doctor   settings of the doctor's run, optional
 */
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { TunedCluster, type TunedClusterArgs } from "../../components";

const config = new pulumi.Config("zerosteal");
const name = config.get("name") ?? pulumi.getStack();
const args = config.requireObject<TunedClusterArgs>("cluster");
const doctor = config.getObject<TunedClusterArgs["doctor"]>("doctor");

const keyFile = config.get("sshKeyFile");
const sshKey = keyFile === undefined ? args.sshKey : { privateKey: pulumi.secret(readFileSync(keyFile, "utf8")) };

const cluster = new TunedCluster(name, { ...args, sshKey, doctor });

/** Operator's kubeconfig, secret. */
export const kubeconfig = cluster.kubeconfig;
/** Public addresses by node name. */
export const addresses = cluster.addresses;
/** What the doctor verified in the last update, JSON. */
export const doctorReport = cluster.doctorReport;
/** The plan that `zerosteal doctor --plan` compares a live cluster with. */
export const plan = cluster.plan;
