import { limitExceeded, refused } from "./errors";
import { Body } from "./body";
import type { Call, Context, Route } from "./context";
import { commonSorts, listAnswer } from "./lists";
import { byId, newObject, removeById, requireUniqueName } from "./objects";
import type { Project } from "./store";
import type { PlacementGroupRecord } from "./types";

const largestGroup = 10;
const groupsPerProject = 50;

/** Endpoints of placement groups. */
export function placementGroupRoutes(context: Context): Route[] {
  const find = (call: Call): PlacementGroupRecord =>
    byId(call.project.state.placementGroups, call.params.id, "placement_group");
  return [
    {
      method: "GET",
      path: "/placement_groups",
      handler: (call) =>
        listAnswer(call, call.project.state.placementGroups, {
          key: "placement_groups",
          sorts: commonSorts,
          filters: { type: (group) => group.type },
          view: (group) => placementGroupView(call.project, group),
        }),
    },
    {
      method: "POST",
      path: "/placement_groups",
      handler: async (call) => {
        const group = create(context, call);
        await call.project.save();
        return { status: 201, body: { placement_group: placementGroupView(call.project, group), action: null } };
      },
    },
    {
      method: "GET",
      path: "/placement_groups/:id",
      handler: (call) => ({ status: 200, body: { placement_group: placementGroupView(call.project, find(call)) } }),
    },
    {
      method: "PUT",
      path: "/placement_groups/:id",
      handler: async (call) => {
        const group = find(call);
        const body = new Body(call.body);
        const name = body.given("name") ? body.requiredString("name") : group.name;
        const labels = body.labels() ?? group.labels;
        body.check();
        requireUniqueName(call.project.state.placementGroups, name, group.id);
        Object.assign(group, { name, labels });
        await call.project.save();
        return { status: 200, body: { placement_group: placementGroupView(call.project, group) } };
      },
    },
    {
      method: "DELETE",
      path: "/placement_groups/:id",
      handler: async (call) => {
        const group = find(call);
        // What the real API answers for a group with servers is not documented; a refusal keeps mistakes visible.
        if (memberIds(call.project, group.id).length > 0) {
          throw refused("service_error", `placement group with ID ${group.id} still contains servers`);
        }
        removeById(call.project.state.placementGroups, group.id);
        await call.project.save();
        return { status: 204 };
      },
    },
  ];
}

/** @throws placement_group_member_limit_reached if no further server fits */
export function requireRoomInGroup(project: Project, groupId: number): void {
  const count = memberIds(project, groupId).length;
  if (count >= largestGroup) {
    const message = `placement group with ID ${groupId} contains already ${count} servers`;
    throw refused("placement_group_member_limit_reached", message);
  }
}

/** A placement group as the API shows it. */
export function placementGroupView(project: Project, group: PlacementGroupRecord): object {
  const { id, name, labels, type, created } = group;
  return { id, name, labels, type, created, servers: memberIds(project, id) };
}

function memberIds(project: Project, groupId: number): number[] {
  return project.state.servers.filter((server) => server.placementGroupId === groupId).map((server) => server.id);
}

function create(context: Context, call: Call): PlacementGroupRecord {
  const { placementGroups } = call.project.state;
  const body = new Body(call.body);
  const name = body.requiredString("name");
  const type = body.oneOf("type", ["spread"] as const);
  const labels = body.labels();
  body.check();
  requireUniqueName(placementGroups, name);
  if (placementGroups.length >= groupsPerProject) {
    throw limitExceeded("placement_group_limit", "placement group limit reached");
  }
  const group = { ...newObject(context, call, labels), name, type };
  placementGroups.push(group);
  return group;
}
