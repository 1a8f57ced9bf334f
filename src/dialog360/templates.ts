import type { Upstream } from "./exchange.ts";
import { type Access, asObjects, type OwnCall, parseLoosely, readOwnCall } from "./messaging.ts";

/** A template of a WABA; status in lower case, category and quality in upper case. */
export type Template = {
  name: string;
  language: string;
  category: string | null;
  status: string | null;
  quality: string | null;
  components: unknown;
  externalId: string | null;
};

const PAGE_ROWS = 500;
/** More than any WABA may have (6,000 when verified). */
const PAGES_MAX = 40;

/** `GET /v1/configs/templates`, page after page: all templates of the WABA that the key belongs to. */
export function createListTemplates(
  upstream: Upstream,
): (access: Access) => Promise<OwnCall<Template[]>> {
  async function fetchPage(access: Access, offset: number): Promise<OwnCall<TemplatePage>> {
    const exchange = await upstream.exchange({
      ...access,
      method: "GET",
      path: `/v1/configs/templates?limit=${PAGE_ROWS}&offset=${offset}`,
      headers: ["accept", "application/json"],
      body: null,
    });
    const call = readOwnCall(exchange, parsePage);
    if (call.kind !== "ok") {
      return call;
    }
    return call.value === undefined
      ? { kind: "refused", status: 200, detail: "the answer holds no list of templates" }
      : { kind: "ok", value: call.value };
  }

  return async (access) => {
    const templates: Template[] = [];
    for (let page = 0, offset = 0; page < PAGES_MAX; page++) {
      const call = await fetchPage(access, offset);
      if (call.kind !== "ok") {
        return call;
      }
      const { rowCount, total = rowCount < PAGE_ROWS ? 0 : Infinity } = call.value;
      templates.push(...call.value.templates);
      offset += rowCount;
      if (offset >= total) {
        return { kind: "ok", value: templates };
      }
      if (rowCount === 0) {
        // A list that ends before its own count has changed while it was read.
        return incomplete();
      }
    }
    return incomplete();
  };
}

function incomplete(): OwnCall<never> {
  return { kind: "refused", status: 200, detail: "the list of templates is not complete" };
}

type TemplatePage = { templates: Template[]; rowCount: number; total: number | undefined };

function parsePage(body: Buffer): TemplatePage | undefined {
  const parsed: Record<string, unknown> | undefined = parseLoosely(body);
  const rows = parsed?.["waba_templates"];
  if (!Array.isArray(rows)) {
    return undefined;
  }
  const total = parsed?.["total"];
  return {
    templates: asObjects(rows).flatMap(parseTemplate),
    rowCount: rows.length,
    total: typeof total === "number" ? total : undefined,
  };
}

function parseTemplate(row: Record<string, unknown>): Template[] {
  const name = textOrNull(row["name"]);
  const language = textOrNull(row["language"]);
  const quality = row["quality_score"];
  const score =
    typeof quality === "object" && quality !== null && "score" in quality ? quality.score : quality;
  return name === null || language === null
    ? []
    : [
        {
          name,
          language,
          category: textOrNull(row["category"])?.toUpperCase() ?? null,
          status: textOrNull(row["status"])?.toLowerCase() ?? null,
          quality: textOrNull(score)?.toUpperCase() ?? null,
          components: row["components"] ?? null,
          externalId: textOrNull(row["external_id"]),
        },
      ];
}

/** PostgreSQL's text takes no NUL. */
function textOrNull(value: unknown): string | null {
  return typeof value === "string" && value !== "" && !value.includes("\0") ? value : null;
}
