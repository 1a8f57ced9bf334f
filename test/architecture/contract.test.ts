import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ERROR_CODES } from "../../src/errors.ts";
import { OPERATIONS } from "../../src/gateway/operations.ts";
import type { Access, Route } from "../../src/http/route.ts";
import { PARTNER_SCOPES, TENANT_SCOPES } from "../../src/tenancy/scopes.ts";

const ROOT = join(import.meta.dirname, "../..");
const METHODS = ["get", "put", "post", "delete", "patch", "head", "options"];

type Security = Record<string, string[]>[];
type YamlOperation = { operationId: string; security?: Security };
type Document = {
  security?: Security;
  paths: Record<string, Record<string, YamlOperation>>;
  components: { schemas: { ErrorCode: { enum: string[] } } };
};

const document = parse(readFileSync(join(ROOT, "openapi/openapi.yaml"), "utf8")) as Document;

/** One operation, in a form in which the code's and the contract's can be compared. */
type Line = { operationId: string; call: string; security: Security | undefined };

const foreseen: Line[] = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item)
    .filter(([method]) => METHODS.includes(method))
    .map(([method, { operationId, security }]) => ({
      operationId,
      call: `${method.toUpperCase()} ${path}`,
      security: security ?? document.security,
    })),
);

/** Stands for any dependency: whatever is asked of it or called on it is such a thing again. */
const anything: never = new Proxy(() => {}, {
  get: (_target, name) => (name === Symbol.iterator ? () => [].values() : anything),
  apply: () => anything,
}) as never;

/** Every row of the route table: whatever a file named `…-routes.ts` makes. */
async function routeTable(): Promise<Route[]> {
  const src = join(ROOT, "src");
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) =>
    /^(?!simulator\/).*routes\.ts$/.test(file),
  );
  const modules = await Promise.all(
    files.map((file) => import(join(src, file)) as Promise<Record<string, unknown>>),
  );
  return modules.flatMap((module) =>
    Object.entries(module)
      .filter(([name]) => name.endsWith("Routes"))
      .flatMap(([, factory]) => (factory as (deps: never) => Route[])(anything)),
  );
}

const routes = await routeTable();

function securityOf(access: Access): Security {
  return access.kind === "public" || access.kind === "hook" ? [] : [{ oauth: [access.scope] }];
}

const offered: Line[] = [
  ...routes.map(({ operationId, method, path, access }) => ({
    operationId,
    call: `${method} ${path}`,
    security: securityOf(access),
  })),
  ...OPERATIONS.map(({ operationId, method, path, scope }) => ({
    operationId,
    call: `${method} ${path}`,
    security: [{ oauth: [scope] }, { d360ApiKey: [] }],
  })),
];

const byId = (lines: Line[]) =>
  lines.toSorted((left, right) => left.operationId.localeCompare(right.operationId));

const ids = (lines: Line[]) => byId(lines).map(({ operationId }) => operationId);

describe("openapi.yaml and the code", () => {
  it("name the same operations", () => {
    expect(ids(offered)).toEqual(ids(foreseen));
  });

  it("agree on each operation's method, path and scope", () => {
    expect(byId(offered)).toEqual(byId(foreseen));
  });

  it("have each operationId and each call once", () => {
    expect(new Set(offered.map(({ operationId }) => operationId)).size).toBe(offered.length);
    expect(new Set(offered.map(({ call }) => call)).size).toBe(offered.length);
  });
});

describe("the route table", () => {
  it("lets only a tenant under /tenant, a partner under /partner, 360dialog under /hooks", () => {
    const kinds: Record<string, Access["kind"]> = {
      tenant: "tenant",
      partner: "partner",
      hooks: "hook",
    };
    const wrong = routes.filter(
      ({ path, access }) => access.kind !== (kinds[path.split("/")[1] ?? ""] ?? "public"),
    );
    expect(wrong.map(({ operationId }) => operationId)).toEqual([]);
  });

  it("demands only scopes that a client of its kind can have", () => {
    const unknown = routes.filter(
      ({ access }) =>
        (access.kind === "tenant" && !TENANT_SCOPES.some((scope) => scope === access.scope)) ||
        (access.kind === "partner" && !PARTNER_SCOPES.some((scope) => scope === access.scope)),
    );
    expect(unknown).toEqual([]);
    const known = new Set<string>(TENANT_SCOPES);
    expect(OPERATIONS.filter(({ scope }) => !known.has(scope))).toEqual([]);
  });

  it("demands a scope to write wherever something is changed", () => {
    const scopes = new Set<string>([...TENANT_SCOPES, ...PARTNER_SCOPES]);
    const reading = [...routes, ...OPERATIONS].filter((each) => {
      const scope = "scope" in each ? each.scope : "scope" in each.access ? each.access.scope : "";
      // Of tokens and contacts the contract has no scope to read: who may write them may see them.
      return each.method === "GET"
        ? scope.endsWith(":write") && scopes.has(scope.replace(/write$/, "read"))
        : scope.endsWith(":read");
    });
    expect(reading.map(({ operationId }) => operationId)).toEqual([]);
  });

  it("keeps the WhatsApp API off the reserved prefixes", () => {
    const reserved = /^\/(tenant|partner|oauth2|hooks|onboarding|console|docs|\.well-known)(\/|$)/;
    expect(OPERATIONS.filter(({ path }) => reserved.test(path))).toEqual([]);
  });
});

/** The contract's table of errors, as far as a code's status follows from its row. */
const STATUS_OF_CODE: Readonly<Record<number, string>> = {
  400: "invalid_json invalid_parameter phone_number_required phone_number_conflict multiple_credentials",
  401: "token_missing token_invalid",
  403: "insufficient_scope tenant_suspended wrong_audience",
  404: "not_found unknown_operation",
  405: "method_not_allowed",
  409:
    "number_taken channel_taken external_id_taken difference_gone idempotency_in_progress " +
    "rotation_in_progress",
  412: "etag_mismatch",
  413: "too_large",
  415: "unsupported_media_type",
  422: "invalid_request window_closed opt_in_missing opted_out destination_restricted template_unavailable idempotency_key_reused api_key_required key_number_mismatch public_url_invalid",
  429: "rate_limited registration_limit",
  500: "internal_error",
  502: "upstream_unreachable api_key_rejected",
  503: "overloaded key_rotating",
  504: "outcome_unknown upstream_timeout",
};

const statusOf = new Map(
  Object.entries(STATUS_OF_CODE).flatMap(([status, codes]) =>
    codes.split(" ").map((code) => [code, Number(status)] as const),
  ),
);

describe("the error codes", () => {
  it("are all foreseen in openapi.yaml", () => {
    const { enum: foreseenCodes } = document.components.schemas.ErrorCode;
    expect(Object.keys(ERROR_CODES).filter((code) => !foreseenCodes.includes(code))).toEqual([]);
  });

  it("answer with the contract's statuses", () => {
    const answered = Object.entries(ERROR_CODES).map(([code, { status }]) => [code, status]);
    expect(answered).toEqual(answered.map(([code]) => [code, statusOf.get(String(code))]));
  });

  it("of openapi.yaml are those of the contract", () => {
    expect(document.components.schemas.ErrorCode.enum.toSorted()).toEqual(
      [...statusOf.keys()].toSorted(),
    );
  });
});
