import { isObject, type JsonObject, parseJson } from "../../json.ts";
import { type Template, namespaceOf } from "./template.ts";

const LIMIT_DEFAULT = 1_000;

/** A template in 360dialog's form. */
export function presentTemplate(template: Template): JsonObject {
  return {
    id: template.id,
    external_id: template.externalId,
    name: template.name,
    namespace: namespaceOf(template.wabaId),
    language: template.language,
    category: template.category,
    status: template.status.toLowerCase(),
    rejected_reason: template.rejectedReason,
    quality_score: null,
    components: template.components,
    created_at: template.createdAt,
    created_by: { user_id: "system", user_name: "System account" },
    modified_at: template.modifiedAt,
    modified_by: { user_id: "system", user_name: "system" },
    partner_id: "WdBs71PA",
    waba_account_id: `${template.wabaId.slice(-6)}WA`,
    updated_external: true,
  };
}

/** The query does not say what it wants. */
export class ListQueryInvalid extends Error {}

const wholeNumber = (text: string | null, otherwise: number): number =>
  text !== null && /^\d{1,6}$/.test(text) ? Number(text) : otherwise;

/** `business_templates.name` and `name` are the same field. */
const fieldName = (name: string): string => name.replace(/^business_templates\./, "");

function parseFilters(text: string | null): JsonObject {
  const filters = text === null ? {} : parseJson(text);
  if (!isObject(filters)) {
    throw new ListQueryInvalid("filters must be a JSON object");
  }
  return filters;
}

function compareBy(sort: string, left: JsonObject, right: JsonObject): number {
  const name = fieldName(sort.replace(/^-/, ""));
  const order = String(left[name]).localeCompare(String(right[name]));
  return sort.startsWith("-") ? -order : order;
}

/** The answer of 360dialog's list for a query of `limit`, `offset`, `sort` and `filters`. */
export function listTemplates(templates: readonly Template[], query: URLSearchParams): JsonObject {
  const filters = parseFilters(query.get("filters"));
  const sort = query.get("sort")?.split(",") ?? ["id"];
  const limit = wholeNumber(query.get("limit"), LIMIT_DEFAULT);
  const offset = wholeNumber(query.get("offset"), 0);
  const fitting = templates
    .map(presentTemplate)
    .filter((row) =>
      Object.entries(filters).every(([name, value]) => row[fieldName(name)] === value),
    )
    .toSorted((left, right) =>
      sort.reduce((order, by) => (order === 0 ? compareBy(by, left, right) : order), 0),
    );
  const page = fitting.slice(offset, offset + limit);
  return {
    count: page.length,
    filters,
    limit,
    offset,
    sort,
    total: fitting.length,
    waba_templates: page,
  };
}
