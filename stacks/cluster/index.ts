/*
 * `pulumi up` for a new cluster. All settings come from the stack's configuration:
 *   zerosteal:name     name of the cluster, default: the stack's name
 *   zerosteal:cluster  arguments of TunedCluster as one object; wrong ones come back all at once
 *   zerosteal:doctor   settings of the doctor's run, optional
 */
import * as pulumi from "@pulumi/pulumi";
import { TunedCluster, type TunedClusterArgs } from "../../components";

const config = new pulumi.Config("zerosteal");
const name = config.get("name") ?? pulumi.getStack();
const args = config.requireObject<TunedClusterArgs>("cluster");
const doctor = config.getObject<TunedClusterArgs["doctor"]>("doctor");

const cluster = new TunedCluster(name, { ...args, doctor });

/** Operator's kubeconfig, secret. */
export const kubeconfig = cluster.kubeconfig;
/** Public addresses by node name. */
export const addresses = cluster.addresses;
/** What the doctor verified in the last update, JSON. */
export const doctorReport = cluster.doctorReport;
/** The plan that `zerosteal doctor --plan` compares a live cluster with. */
export const plan = cluster.plan;
