import { notFound, notUnique } from "./errors";
import { timestamp, type Call, type Context } from "./context";
import type { Stored } from "./types";

/**
 * The object of a list that a path or body names.
 * @param items objects of one kind
 * @param id integer, or its text out of a path
 * @param kind word for the error
 * @throws not_found
 */
export function byId<Item extends { id: number }>(
  items: readonly Item[],
  id: number | string | undefined,
  kind: string,
): Item {
  const item = items.find((candidate) => String(candidate.id) === String(id));
  if (!item) throw notFound(kind, id ?? "");
  return item;
}

/** @throws uniqueness_error if another object of the list has the name */
export function requireUniqueName(
  items: readonly { id: number; name: string }[],
  name: string,
  except?: number,
  message = "name is already used",
): void {
  if (items.some((item) => item.name === name && item.id !== except)) throw notUnique("name", message);
}

/** Id, time and labels of a new object. */
export function newObject(context: Context, call: Call, labels: Stored["labels"] = {}): Stored {
  return { id: call.project.nextId(), created: timestamp(context.now()), labels };
}

/** Removes the object with this id from a list, in place. */
export function removeById(items: { id: number }[], id: number): void {
  const index = items.findIndex((item) => item.id === id);
  if (index >= 0) items.splice(index, 1);
}
