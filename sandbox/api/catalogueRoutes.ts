import { imageView, locationView, pricingView, serverTypeView } from "./catalogue";
import { images, locations, serverTypes } from "./catalogueData";
import type { Context, Route } from "./context";
import { ApiError, invalidField, notEmulated } from "./errors";
import { commonSorts, listAnswer } from "./lists";
import { byId } from "./objects";

/** Kinds that this sandbox knows to be empty: their lists are, and making one is refused. */
const emptyKinds: readonly (readonly [path: string, word: string])[] = [
  ["volumes", "volume"],
  ["floating_ips", "floating_ip"],
  ["load_balancers", "load_balancer"],
  ["load_balancer_types", "load_balancer_type"],
  ["certificates", "certificate"],
  ["isos", "iso"],
];

/** Endpoints that only show what there is: locations, server types, images, prices. */
export function catalogueRoutes(context: Context): Route[] {
  const viewType = (type: (typeof serverTypes)[number]): object =>
    serverTypeView(type, context.settings.architectures, context.now());
  return [
    {
      method: "GET",
      path: "/locations",
      handler: (call) =>
        listAnswer(call, locations, {
          key: "locations",
          sorts: { id: commonSorts.id, name: commonSorts.name },
          view: locationView,
        }),
    },
    {
      method: "GET",
      path: "/locations/:id",
      handler: (call) => ({
        status: 200,
        body: { location: locationView(byId(locations, call.params.id, "location")) },
      }),
    },
    {
      method: "GET",
      path: "/server_types",
      handler: (call) => listAnswer(call, serverTypes, { key: "server_types", view: viewType }),
    },
    {
      method: "GET",
      path: "/server_types/:id",
      handler: (call) => ({
        status: 200,
        body: { server_type: viewType(byId(serverTypes, call.params.id, "server_type")) },
      }),
    },
    ...imageRoutes(context),
    { method: "GET", path: "/pricing", handler: () => ({ status: 200, body: { pricing: pricingView() } }) },
    { method: "GET", path: "/datacenters", handler: datacentersGone },
    { method: "GET", path: "/datacenters/:id", handler: datacentersGone },
    ...emptyKinds.flatMap(([path, word]) => emptyRoutes(path, word)),
  ];
}

function imageRoutes(context: Context): Route[] {
  return [
    {
      method: "GET",
      path: "/images",
      handler: (call) => {
        const withDeprecated = (call.query.get("include_deprecated") ?? "false").toLowerCase();
        if (!["true", "false"].includes(withDeprecated))
          throw invalidField("include_deprecated", "must be true or false");
        const now = context.now();
        const isCurrent = (image: (typeof images)[number]): boolean =>
          image.deprecated === null || new Date(image.deprecated) > now;
        const shown = withDeprecated === "true" ? images : images.filter(isCurrent);
        return listAnswer(call, shown, {
          key: "images",
          sorts: commonSorts,
          filters: {
            type: () => "system",
            status: () => "available",
            bound_to: () => null,
            architecture: (image) => image.architecture,
          },
          view: imageView,
        });
      },
    },
    {
      method: "GET",
      path: "/images/:id",
      handler: (call) => ({ status: 200, body: { image: imageView(byId(images, call.params.id, "image")) } }),
    },
  ];
}

function emptyRoutes(path: string, word: string): Route[] {
  const nothing: { id: number; name: string; created: string }[] = [];
  const refuse = (): never => {
    throw notEmulated(`POST /${path}`);
  };
  return [
    {
      method: "GET",
      path: `/${path}`,
      handler: (call) => listAnswer(call, nothing, { key: path, sorts: commonSorts, view: (item) => item }),
    },
    {
      method: "GET",
      path: `/${path}/:id`,
      handler: (call) => ({ status: 200, body: byId(nothing, call.params.id, word) }),
    },
    { method: "POST", path: `/${path}`, handler: refuse },
  ];
}

function datacentersGone(): never {
  throw new ApiError(410, "deprecated_api_endpoint", "the datacenters endpoints were removed, use locations", {
    announcement: "https://docs.hetzner.cloud/changelog#2025-12-16-phasing-out-datacenters",
  });
}
