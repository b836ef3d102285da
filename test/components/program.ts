import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";

/** What a program asked the engine for: one resource, with its inputs and options as they went over the wire. */
export interface Registration {
  type: string;
  name: string;
  /** `type name` of the parent; empty for the stack's own resources. */
  parent: string;
  /** Inputs in the engine's form: secrets are wrapped, unknown values are a fixed text. */
  inputs: Record<string, unknown>;
  urn: string;
  /** Reference to the provider; empty for the default one. */
  provider: string;
  deletedWith: string;
  deleteBeforeReplace: boolean;
  ignoreChanges: string[];
  secretOutputs: string[];
  aliases: number;
  dependencies: string[];
  timeouts: { create: string; update: string; delete: string };
}

/** How a program is run. */
export interface RunOptions {
  /** Whether it is a preview, in which ids and other results are unknown. Default false. */
  preview?: boolean;
  /** Outputs of resources by type, over what the mocks make up. */
  outputs?: (type: string, name: string) => Record<string, unknown> | undefined;
  /** Results of provider functions by token; undefined for a call that the program must not make. */
  calls?: (token: string, inputs: Record<string, unknown>) => Record<string, unknown> | undefined;
  /** Configuration of the stack, e.g. `{ "hcloud:token": "…" }`. */
  config?: Record<string, string>;
  /** Keys of the configuration that are secrets. */
  secretConfig?: string[];
}

/** Result of a program's run. */
export interface ProgramRun<T> {
  /** What the program gave; undefined when it threw. */
  value: T | undefined;
  error: unknown;
  /** In the order of arrival. */
  registrations: Registration[];
}

/** How the engine marks a secret and an unknown value on the wire. */
const signature = "4dabf18193072939515e22adb298388d";
const secretMark = "1b47061264138c4ac30d75fd1eb44270";
const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const project = "test";

/**
 * Runs a program against a monitor that records registrations and makes up results: ids, addresses and outputs of commands in an update,
 * none of them in a preview.
 */
export async function runProgram<T>(program: () => T, options: RunOptions = {}): Promise<ProgramRun<T>> {
  const { preview = false, config = {}, secretConfig = [] } = options;
  const registrations: Registration[] = [];
  pulumi.runtime.setAllConfig(config, secretConfig);
  await pulumi.runtime.setMocks(mocksFor(preview, options), project, "dev", preview);
  const restore = record(registrations);
  try {
    let value: T | undefined;
    let error: unknown;
    try {
      value = program();
    } catch (thrown) {
      error = thrown;
    }
    // Resolves once nothing is on its way to the monitor any more.
    await pulumi.runtime.disconnect();
    return { value, error, registrations };
  } finally {
    restore();
  }
}

function mocksFor(preview: boolean, { outputs, calls }: RunOptions): pulumi.runtime.Mocks {
  return {
    call: ({ token, inputs }) => {
      const answer = calls?.(token, inputs as Record<string, unknown>);
      if (!answer) throw new Error(`the program calls ${token}; a preview would have to ask the cloud`);
      return answer;
    },
    newResource: ({ type, name, inputs }) => {
      const given = inputs as Record<string, unknown>;
      // The engine's own resource: kept and given back, in a preview as in an update.
      if (type === "pulumi:index:Stash") {
        return { id: name, state: { ...given, output: given.input, ...outputs?.(type, name) } };
      }
      if (preview) return { id: undefined, state: given };
      return { id: idOf(type, name), state: { ...given, ...madeUp(type, name), ...outputs?.(type, name) } };
    },
  };
}

/** The id that the mocks give a resource: a number, as the cloud's are; the same at every run, as for objects that exist. */
export function idOf(type: string, name: string): string {
  return String(createHash("sha256").update(`${type} ${name}`).digest().readUInt32BE());
}

function madeUp(type: string, name: string): Record<string, unknown> {
  if (type === "hcloud:index/server:Server") return { ipv4Address: `198.51.100.${1 + (name.length % 250)}` };
  if (!type.startsWith("command:")) return {};
  if (name.startsWith("kubeconfig-")) return { stdout: kubeadmKubeconfig(), stderr: "" };
  return { stdout: `stdout of ${name}`, stderr: "" };
}

/** Mocks are not told of parents and options, so the monitor behind them is listened to. */
function record(registrations: Registration[]): () => void {
  const original = Object.getOwnPropertyDescriptor(MockMonitor.prototype, "registerResource") as PropertyDescriptor;
  const handle = original.value as MockMonitor["registerResource"];
  MockMonitor.prototype.registerResource = function (request: RegisterResourceRequest, callback) {
    return handle.call(this, request, (error: unknown, answer: { getUrn(): string } | undefined) => {
      if (answer) registrations.push(describe(request, answer.getUrn()));
      // The callback is the SDK's own.
      (callback as (error: unknown, answer: unknown) => void)(error, answer);
    });
  };
  return () => Object.defineProperty(MockMonitor.prototype, "registerResource", original);
}

function describe(request: RegisterResourceRequest, urn: string): Registration {
  const timeouts = request.getCustomtimeouts();
  return {
    type: request.getType(),
    name: request.getName(),
    parent: request.getParent().split("::").slice(2).join(" ").split("$").at(-1) ?? "",
    inputs: request.getObject()?.toJavaScript() ?? {},
    urn,
    provider: request.getProvider(),
    deletedWith: request.getDeletedwith(),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    ignoreChanges: request.getIgnorechangesList(),
    secretOutputs: request.getAdditionalsecretoutputsList(),
    aliases: request.getAliasesList().length,
    dependencies: request.getDependenciesList(),
    timeouts: {
      create: timeouts?.getCreate() ?? "",
      update: timeouts?.getUpdate() ?? "",
      delete: timeouts?.getDelete() ?? "",
    },
  };
}

/** A value as the program meant it: secrets opened, unknown values as `<unknown>`. */
export function opened(value: unknown): unknown {
  if (value === unknownText) return "<unknown>";
  if (Array.isArray(value)) return value.map(opened);
  if (value === null || typeof value !== "object") return value;
  if (isSecret(value)) return opened((value as { value: unknown }).value);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, opened(part)]));
}

/** Whether a value on the wire is marked as a secret, as a whole. */
export function isSecret(value: unknown): boolean {
  return value !== null && typeof value === "object" && (value as Record<string, unknown>)[signature] === secretMark;
}

/** A value with everything in it that is marked as a secret taken away: what may stand in clear in a state. */
export function clearText(value: unknown): unknown {
  if (isSecret(value)) return "[secret]";
  if (Array.isArray(value)) return value.map(clearText);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, clearText(part)]));
}

/** A kubeconfig as kubeadm prints it. @param key the client's key, base64 */
export function kubeadmKubeconfig(key = "S0VZ"): string {
  return `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0E=
    server: https://api.prod.zerosteal.internal:6443
  name: prod
contexts:
- context:
    cluster: prod
    user: zerosteal-operator
  name: zerosteal-operator@prod
current-context: zerosteal-operator@prod
kind: Config
preferences: {}
users:
- name: zerosteal-operator
  user:
    client-certificate-data: Q0VSVA==
    client-key-data: ${key}
`;
}
