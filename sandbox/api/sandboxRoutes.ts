import type { Context, Route } from "./context";
import type { Faults } from "./faults";
import { observedStatus } from "./serverView";

/** Endpoints that only this sandbox has, below `/_sandbox`: faults for tests, a summary for people. */
export function sandboxRoutes(context: Context, faults: Faults): Route[] {
  return [
    {
      method: "POST",
      path: "/_sandbox/faults",
      handler: (call) => ({ status: 201, body: { fault: faults.add(call.project.key, call.body) } }),
    },
    {
      method: "GET",
      path: "/_sandbox/faults",
      handler: (call) => ({ status: 200, body: { faults: faults.list(call.project.key) } }),
    },
    {
      method: "DELETE",
      path: "/_sandbox/faults",
      handler: (call) => {
        faults.clear(call.project.key);
        return { status: 204 };
      },
    },
    {
      method: "GET",
      path: "/_sandbox/state",
      handler: async ({ project }) => {
        const { servers, networks, firewalls, sshKeys, placementGroups, primaryIps, actions } = project.state;
        const summary = servers.map(async (server) => ({
          id: server.id,
          name: server.name,
          status: await observedStatus(context, server),
          public_ip: primaryIps.find((record) => record.id === server.ipv4Id)?.ip ?? null,
          private_ips: server.attachments.map((nic) => nic.ip),
        }));
        return {
          status: 200,
          body: {
            servers: await Promise.all(summary),
            networks: networks.map(({ id, name, routes }) => ({ id, name, routes: routes.length })),
            counts: { firewalls: firewalls.length, ssh_keys: sshKeys.length, placement_groups: placementGroups.length },
            running_actions: actions
              .filter(({ status }) => status === "running")
              .map(({ id, command }) => ({ id, command })),
          },
        };
      },
    },
  ];
}
