/* Policies of a namespace, by the stack's configuration: what record.ts changes. */
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { app, NamespaceBaseline, ServiceGraph } from "../../../components";

const config = new pulumi.Config();
const provider = new kubernetes.Provider("cluster", { kubeconfig: pulumi.secret("{}"), clusterIdentifier: "shop" });
const baseline = new NamespaceBaseline("shop", { namespace: "shop" }, { provider });
new ServiceGraph("shop", { namespace: "shop", covered: [baseline.covers] }, { provider }).allow({
  from: app("frontend-proxy"),
  to: app("backend-api"),
  port: config.requireNumber("port"),
  http: [{ method: "POST", path: "/v1/transaction" }],
});
