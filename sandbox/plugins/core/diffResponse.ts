import { DiffResponse, PropertyDiff } from "@pulumi/pulumi/proto/provider_pb";
import type { Change, DiffResult } from "./diff";

const kinds = {
  add: [PropertyDiff.Kind.ADD, PropertyDiff.Kind.ADD_REPLACE],
  delete: [PropertyDiff.Kind.DELETE, PropertyDiff.Kind.DELETE_REPLACE],
  update: [PropertyDiff.Kind.UPDATE, PropertyDiff.Kind.UPDATE_REPLACE],
} as const;

/** The engine's form of a difference. */
export function diffResponse(result: DiffResult): DiffResponse {
  const response = new DiffResponse().setHasdetaileddiff(true).setDeletebeforereplace(result.deleteBeforeReplace);
  const { DIFF_NONE, DIFF_SOME } = DiffResponse.DiffChanges;
  response.setChanges(result.changes.length === 0 ? DIFF_NONE : DIFF_SOME);
  const replacing = result.changes.filter((change) => change.replace);
  response.setReplacesList(unique(replacing.map((change) => change.path)));
  response.setDiffsList(unique(result.changes.map((change) => change.path.replace(/[.[].*$/, ""))));
  for (const change of result.changes) response.getDetaileddiffMap().set(change.path, propertyDiff(change));
  return response;
}

function propertyDiff({ kind, replace }: Change): PropertyDiff {
  return new PropertyDiff().setKind(kinds[kind][replace ? 1 : 0]);
}

const unique = (paths: string[]): string[] => [...new Set(paths)];
