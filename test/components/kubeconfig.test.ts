import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { operatorDocument } from "../../components/kubeadm/kubeconfig";
import { kubeadmKubeconfig } from "./program";

const api = { cluster: "prod", address: "198.51.100.7", port: 6443, name: "api.prod.zerosteal.internal" };

describe("the operator's kubeconfig", () => {
  it("has the certificates of the control plane's answer, and the address that the operator reaches", () => {
    const document = parse(operatorDocument(kubeadmKubeconfig("S0VZ"), api)) as object;
    assert.deepEqual(document, {
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: "prod",
          cluster: {
            server: "https://198.51.100.7:6443",
            "tls-server-name": "api.prod.zerosteal.internal",
            "certificate-authority-data": "Q0E=",
          },
        },
      ],
      contexts: [{ name: "prod", context: { cluster: "prod", user: "operator" } }],
      "current-context": "prod",
      users: [{ name: "operator", user: { "client-certificate-data": "Q0VSVA==", "client-key-data": "S0VZ" } }],
    });
  });

  it("takes nothing else: no program to run, no proxy, no other server, no file of the operator's", () => {
    const answer = kubeadmKubeconfig("S0VZ")
      .replace(
        "    client-key-data",
        "    exec: {command: sh, args: [-c, id]}\n    tokenFile: /etc/shadow\n    client-key-data",
      )
      .replace("    server:", "    proxy-url: http://192.0.2.66\n    insecure-skip-tls-verify: true\n    server:");
    assert.match(answer, /exec:.*sh/);
    assert.match(answer, /proxy-url/);
    assert.equal(operatorDocument(answer, api), operatorDocument(kubeadmKubeconfig("S0VZ"), api));
  });

  it("says what an answer lacks, and quotes nothing of it", () => {
    const told = (answer: string): string => {
      try {
        return operatorDocument(answer, api);
      } catch (error) {
        return (error as Error).message;
      }
    };
    const lacks = "The kubeconfig that the control plane of prod gave has no";
    const again = "Raise kubeconfigGeneration to ask again.";
    const all = "certificate-authority-data, client-certificate-data, client-key-data";
    assert.equal(told("a planted secret: ["), `${lacks} ${all}. ${again}`);
    assert.equal(told(""), `${lacks} ${all}. ${again}`);
    assert.equal(told(kubeadmKubeconfig("{a: planted}")), `${lacks} client-key-data. ${again}`);
  });
});
