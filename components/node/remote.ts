import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { childOptions, type ClusterContext } from "../context";
import type { UnderlayMachine } from "../underlay/machine";

/** As whom a step comes to its node. */
export interface NodeLogin {
  /** root, or a user who may run sudo without a password. */
  user: string;
  /** TCP port of SSH. */
  port: number;
  /** The client's private key, secret. Absent: an agent has it. */
  privateKey?: pulumi.Output<string>;
  /** Socket of the SSH agent. */
  agentSocketPath?: string;
}

/** How a step reaches its node. */
export interface NodeConnection extends NodeLogin {
  host: pulumi.Input<string>;
  /** The public host key that the node must show, OpenSSH line. */
  hostKey: pulumi.Input<string>;
}

/** One idempotent step on a node. */
export interface RemoteStep {
  /** Node on which it runs, for its error text. */
  node: string;
  connection: NodeConnection;
  /** Bash; must be safe to run again. Never holds a secret: error texts repeat it. */
  script: string;
  /** POSIX shell that runs first, as the login user; when it ends with an error, nothing else runs. Default: nothing. */
  prelude?: string;
  /** Bash that runs when the resource is deleted while its machine stays. */
  deleteScript?: string;
  /** Secrets and data, by standard input. */
  stdin?: pulumi.Input<string>;
  /** Whether its standard output is a secret. Default false. */
  secretOutput?: boolean;
  /** The machine: when it goes, the step goes without running anything. Absent for the step that stands for the machine itself. */
  machine?: UnderlayMachine;
  /** Values whose change means that the step must be made anew. Default: the machine's id. */
  triggers?: pulumi.Input<unknown>[];
  /** Seconds after which the step is given up. */
  timeoutSeconds: number;
  /** Whether the machine may still be at its first boot: then connecting is tried for some ten minutes. Default false: some 40 s. */
  firstContact?: boolean;
  opts?: pulumi.CustomResourceOptions;
}

/** Registers a step with the settings that every remote command of this library shares. */
export function remoteStep(context: ClusterContext, name: string, step: RemoteStep): command.remote.Command {
  const minutes = `${Math.ceil(step.timeoutSeconds / 60) + 10}m`;
  const wrap = (script: string): string =>
    asRoot(step.connection.user, bounded(name, step.node, step.timeoutSeconds, script));
  return new command.remote.Command(
    name,
    {
      connection: {
        host: step.connection.host,
        user: step.connection.user,
        ...(step.connection.port === 22 ? {} : { port: step.connection.port }),
        ...(step.connection.privateKey === undefined
          ? { agentSocketPath: step.connection.agentSocketPath }
          : { privateKey: step.connection.privateKey }),
        hostKey: step.connection.hostKey,
        // A new machine refuses connections until its SSH server runs. Later a machine that does not answer is named soon: ten
        // tries (the default) last eleven seconds, each further one five.
        dialErrorLimit: step.firstContact ? 120 : 16,
        perDialTimeout: 10,
      },
      create: `${step.prelude ?? ""}${wrap(step.script)}`,
      delete: step.deleteScript === undefined ? undefined : wrap(step.deleteScript),
      stdin: step.stdin,
      triggers: step.triggers ?? (step.machine ? [step.machine.id] : []),
      // sshd refuses environment variables that it does not list; the default would warn at each update.
      addPreviousOutputInEnv: false,
      // Streams end up in CI logs, and a line over 64 KiB makes the provider hang.
      logging: command.remote.Logging.None,
    },
    childOptions(
      context,
      pulumi.mergeOptions(
        {
          deletedWith: step.machine?.resource,
          additionalSecretOutputs: step.secretOutput ? ["stdout", "stderr"] : [],
          customTimeouts: { create: minutes, update: minutes, delete: minutes },
        },
        step.opts,
      ),
    ),
  );
}

/**
 * What a connection needs of an earlier resource, or a note in its place when that one failed in an update that goes on with the others.
 * The engine skips what depends on a failure, but looks at its inputs first: a connection that is missing there would end the work on all
 * other nodes.
 */
export function evenIfFailed(result: pulumi.Output<string>): pulumi.Output<string> {
  // The SDK's second argument, which its types leave out: call the function although nothing is known.
  const lenient = result as unknown as {
    apply(read: (value: unknown) => unknown, runWithUnknowns: boolean): pulumi.Output<string>;
  };
  return lenient.apply(
    (value) => (pulumi.isUnknown(value) && !pulumi.runtime.isDryRun() ? "unknown: an earlier step failed" : value),
    true,
  );
}

/**
 * A remote script outlives the engine's timeouts and a connection that broke, so it carries its own bound, and a second run of the same
 * step waits for the first. A failure names step and node before the last lines.
 */
function bounded(step: string, node: string, seconds: number, script: string): string {
  return [
    `exec 9>/run/zerosteal-${step}.lock && flock -w ${seconds} 9 &&`,
    `timeout ${seconds} bash -euo pipefail /dev/fd/3 3<<'END_OF_STEP' || {`,
    script.trimEnd(),
    "END_OF_STEP",
    `  code=$?; echo "step ${step} failed on node ${node} (exit $code)" >&2; exit $code;`,
    "}",
    "",
  ].join("\n");
}

/** Steps run as root. Another user's shell hands the whole script to sudo, whose standard input stays the step's own. */
function asRoot(user: string, script: string): string {
  if (user === "root") return script;
  return `sudo -n bash -c "$(cat <<'END_OF_ROOT'\n${script}END_OF_ROOT\n)"\n`;
}
