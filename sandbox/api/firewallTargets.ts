import type { Body } from "./body";
import { ApiError } from "./errors";
import { parseSelector } from "./labels";
import type { Project } from "./store";

/** What a firewall is applied to. */
export type FirewallTarget = { type: "server"; serverId: number } | { type: "label_selector"; selector: string };

/** A text that is the same for the same target. */
export function resourceKey(target: FirewallTarget): string {
  return target.type === "server" ? `server ${target.serverId}` : `selector ${target.selector}`;
}

/**
 * Reads a list of resources out of a request.
 * @param field `apply_to` or `remove_from`
 * @param missingStatus HTTP status for a server that does not exist: 422 on create, 404 on actions
 * @throws firewall_resource_not_found
 */
export function readResources(body: Body, field: string, project: Project, missingStatus: 404 | 422): FirewallTarget[] {
  return body.objects(field).flatMap((item): FirewallTarget[] => {
    const type = item.oneOf("type", ["server", "label_selector"] as const);
    const inner = item.object(type);
    if (!inner) {
      item.refuse(type, "is required");
      return [];
    }
    if (type === "server") {
      const serverId = inner.requiredInteger("id");
      if (!project.state.servers.some((server) => server.id === serverId)) {
        throw new ApiError(missingStatus, "firewall_resource_not_found", `server with ID '${serverId}' not found`);
      }
      return [{ type, serverId }];
    }
    const selector = inner.requiredString("selector");
    parseSelector(selector, `${field}.label_selector.selector`);
    return [{ type, selector }];
  });
}
