/*
 * Two services in a cluster that another stack made: frontend-proxy may POST /v1/transaction to backend-api, and nothing else may reach
 * anything. Settings:
 *   zerosteal-workload:cluster    stack that has the cluster, e.g. organization/zerosteal/prod; its secret output `kubeconfig` is read
 *   zerosteal-workload:image      image of both services: the toolchain's httpecho, or one that takes the same arguments
 *   zerosteal-workload:l7Proxy    whether the cluster's Cilium runs with `l7Proxy`, default true; without, the port alone is judged
 *   zerosteal-workload:bystander  whether a third pod runs that may reach nothing, to prove it; default false
 */
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { app, NamespaceBaseline, ServiceGraph } from "../../components";
import { EchoService } from "./echoService";

const config = new pulumi.Config("zerosteal-workload");
const clusterStack = config.require("cluster");
const image = config.require("image");
const l7Proxy = config.getBoolean("l7Proxy") ?? true;

const provider = new kubernetes.Provider("cluster", {
  kubeconfig: new pulumi.StackReference(clusterStack).requireOutput("kubeconfig") as pulumi.Output<string>,
  // Says which cluster it is while the kubeconfig is not known or is renewed: nothing is replaced then.
  clusterIdentifier: clusterStack,
  deleteUnreachable: true,
});
const shop = new kubernetes.core.v1.Namespace("shop", { metadata: { name: "shop" } }, { provider });
const inShop = { provider, dependsOn: shop };

const baseline = new NamespaceBaseline("shop", { namespace: "shop", l7Proxy }, inShop);
const graph = new ServiceGraph("shop", { namespace: "shop", l7Proxy, covered: [baseline.covers] }, inShop);
graph.allow({
  from: app("frontend-proxy"),
  to: app("backend-api"),
  port: 8080,
  http: l7Proxy ? [{ method: "POST", path: "/v1/transaction" }] : undefined,
});

// Pods come when their policies are in force: none is ever open.
const guarded = { provider, dependsOn: [shop, baseline, graph] };
new EchoService("backend-api", { namespace: "shop", image, replicas: 2 }, guarded);
new EchoService("frontend-proxy", { namespace: "shop", image, forward: "http://backend-api:8080" }, guarded);
if (config.getBoolean("bystander")) new EchoService("bystander", { namespace: "shop", image }, guarded);

/** Namespace of the services. */
export const namespace = shop.metadata.name;
/** Names of the policies that are in force. */
export const policies = [...baseline.plan.policies, ...graph.plan.policies].map(({ metadata }) => metadata.name);
