import { Server, ServerCredentials, type UntypedServiceImplementation, status } from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { configMethods } from "./configMethods";
import { EngineLogs } from "./engineLog";
import type { PluginProvider } from "./provider";
import { resourceMethods } from "./resourceMethods";
import type { Session } from "./session";
import { type Method, unary, whenIdle } from "./wire";

// The engine calls these only for packages with components or parameters.
const unsupported = ["parameterize", "construct", "call", "list", "getMapping", "getMappings"];

/** gRPC handlers of the resource plugin protocol. */
export function pluginService(session: Session): UntypedServiceImplementation {
  const refuse = (method: string): Method<object, never> => {
    return async () => {
      throw Object.assign(new Error(`not implemented: ${method}`), { code: status.UNIMPLEMENTED });
    };
  };
  const methods = {
    ...configMethods(session),
    ...resourceMethods(session),
    ...Object.fromEntries(unsupported.map((name) => [name, unary(refuse(name))])),
  };
  return methods;
}

/**
 * Runs a resource plugin until the engine ends it: listens on a free loopback port and prints that port, as the engine
 * expects.
 * @param provider what the plugin can do
 * @param args the process arguments; the last one that is no flag is the engine's address
 */
export async function runPlugin(provider: PluginProvider, args: string[]): Promise<void> {
  const session = { provider, logs: new EngineLogs(), cancelled: new AbortController() };
  session.logs.connect(args.filter((arg) => !arg.startsWith("-")).at(-1));
  // The engine ends its plugins by this signal, and a terminal may send it to everybody: a running step comes first.
  process.on("SIGINT", () => whenIdle(() => process.exit(0)));
  exitWithParent();
  const server = new Server({
    "grpc.max_receive_message_length": 400 << 20,
    "grpc.max_send_message_length": 400 << 20,
  });
  server.addService(ResourceProviderService, pluginService(session));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  process.stdout.write(`${port}\n`);
}

/** An engine that was killed cannot end its plugins; without a parent there is nobody to answer. */
function exitWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, 500).unref();
}
