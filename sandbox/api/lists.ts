import { invalidField, invalidInput } from "./errors";
import { matches, parseSelector } from "./labels";
import type { Answer, Call } from "./context";
import type { Labels } from "./types";

/** How a kind of object is listed. */
export interface ListOptions<Item> {
  /** Key of the list in the body, e.g. `servers`. */
  key: string;
  /** Fields that `sort` may name, and their values. Default: `sort` is refused. */
  sorts?: Record<string, (item: Item) => string | number | null>;
  /** Query keys that keep items whose value is one of those given. `name` is added by itself where items have one. */
  filters?: Record<string, (item: Item) => string | number | null>;
  /** What a client sees of an item. */
  view: (item: Item) => object | Promise<object>;
}

/** Sort fields of objects with a name and a time. */
export const commonSorts = {
  id: (item: { id: number }): number => item.id,
  name: (item: { name: string }): string => item.name,
  created: (item: { created: string }): string => item.created,
};

const defaultPageSize = 25;
const largestPage = 50;

/**
 * Answers a list request: filters, `label_selector`, sort, pages, `Link` header.
 * @param call the request
 * @param items all objects of the project, oldest first
 * @param options what this kind allows
 */
export async function listAnswer<Item extends { id: number; name?: string; labels?: Labels }>(
  call: Call,
  items: readonly Item[],
  options: ListOptions<Item>,
): Promise<Answer> {
  const kept = sorted(call, filtered(call, items, options.filters ?? {}), options.sorts ?? {});
  const page = wholeNumber(call, "page", 1, Number.MAX_SAFE_INTEGER);
  const size = wholeNumber(call, "per_page", defaultPageSize, largestPage);
  const last = Math.max(1, Math.ceil(kept.length / size));
  const shown = kept.slice((page - 1) * size, page * size);
  const pagination = {
    page,
    per_page: size,
    previous_page: page > 1 ? page - 1 : null,
    next_page: page < last ? page + 1 : null,
    last_page: last,
    total_entries: kept.length,
  };
  const views = await Promise.all(shown.map(async (item) => options.view(item)));
  return {
    status: 200,
    body: { [options.key]: views, meta: { pagination } },
    headers: { link: linkHeader(call, pagination) },
  };
}

function filtered<Item extends { name?: string; labels?: Labels }>(
  call: Call,
  items: readonly Item[],
  filters: NonNullable<ListOptions<Item>["filters"]>,
): Item[] {
  const byField = { name: (item: Item): string | null => item.name ?? null, ...filters };
  const terms = parseSelector(call.query.get("label_selector") ?? "");
  return items.filter((item) => {
    if (!matches(terms, item.labels ?? {})) return false;
    return Object.entries(byField).every(([field, valueOf]) => {
      const wanted = call.query.getAll(field).filter((value) => value !== "");
      return wanted.length === 0 || wanted.includes(String(valueOf(item)));
    });
  });
}

function sorted<Item extends { id: number }>(
  call: Call,
  items: Item[],
  sorts: NonNullable<ListOptions<Item>["sorts"]>,
): Item[] {
  const orders = call.query.getAll("sort").map((text) => {
    const [field = "", direction = "asc"] = text.split(":");
    const valueOf = Object.hasOwn(sorts, field) ? sorts[field] : undefined;
    if (!valueOf || !["asc", "desc"].includes(direction))
      throw invalidField("sort", `'${text}' is not a sort order here`);
    return { valueOf, sign: direction === "desc" ? -1 : 1 };
  });
  return [...items].sort((a, b) => {
    for (const { valueOf, sign } of orders) {
      const order = compare(valueOf(a), valueOf(b));
      if (order !== 0) return sign * order;
    }
    return a.id - b.id;
  });
}

function compare(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return a < b ? -1 : 1;
}

function wholeNumber(call: Call, field: string, fallback: number, largest: number): number {
  const text = call.query.get(field);
  if (text === null) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > largest) {
    throw invalidInput([
      { name: field, messages: [`must be an integer from 1${largest === largestPage ? ` to ${largest}` : ""}`] },
    ]);
  }
  return value;
}

function linkHeader(
  call: Call,
  pagination: { previous_page: number | null; next_page: number | null; last_page: number },
): string {
  const pages = { first: 1, prev: pagination.previous_page, next: pagination.next_page, last: pagination.last_page };
  return Object.entries(pages)
    .filter((entry): entry is [string, number] => entry[1] !== null)
    .map(([relation, page]) => {
      const query = new URLSearchParams(call.query);
      query.set("page", String(page));
      return `<${call.url}?${query.toString()}>; rel="${relation}"`;
    })
    .join(", ");
}
