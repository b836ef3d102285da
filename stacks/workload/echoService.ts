import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

interface EchoServiceArgs {
  namespace: string;
  image: string;
  /** Default 1. */
  replicas?: number;
  /** Base URL that requests are passed on to. Default: they are answered. */
  forward?: string;
}

const port = 8080;

/** A web service with pods `app: NAME` and a Service of the same name. */
export class EchoService extends pulumi.ComponentResource {
  constructor(name: string, args: EchoServiceArgs, opts: pulumi.ComponentResourceOptions) {
    super("zerosteal-workload:index:EchoService", name, args, opts);
    const { namespace, image, replicas = 1, forward } = args;
    const labels = { app: name };
    const metadata = { name, namespace, labels };
    // Children do not inherit what their component waits for.
    const child = { parent: this, dependsOn: opts.dependsOn };
    new kubernetes.apps.v1.Deployment(
      name,
      {
        metadata,
        spec: {
          replicas,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              automountServiceAccountToken: false,
              // Each on a node of its own where there are enough: what is allowed is allowed across nodes too.
              topologySpreadConstraints: [
                {
                  maxSkew: 1,
                  topologyKey: "kubernetes.io/hostname",
                  whenUnsatisfiable: "ScheduleAnyway",
                  labelSelector: { matchLabels: labels },
                },
              ],
              containers: [
                {
                  name: "main",
                  image,
                  args: ["serve", "-name", name, ...(forward === undefined ? [] : ["-forward", forward])],
                  ports: [{ name: "http", containerPort: port }],
                  readinessProbe: { httpGet: { path: "/healthz", port }, periodSeconds: 2 },
                  securityContext: {
                    allowPrivilegeEscalation: false,
                    readOnlyRootFilesystem: true,
                    runAsNonRoot: true,
                    runAsUser: 65534,
                    capabilities: { drop: ["ALL"] },
                  },
                },
              ],
            },
          },
        },
      },
      child,
    );
    new kubernetes.core.v1.Service(
      name,
      { metadata, spec: { selector: labels, ports: [{ name: "http", port, targetPort: port }] } },
      child,
    );
    this.registerOutputs({});
  }
}
