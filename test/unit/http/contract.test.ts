import { describe, expect, it } from "vitest";
import type { FieldError } from "../../../src/errors.ts";
import { loadContract } from "../../../src/http/contract.ts";

const contract = loadContract();

function errorsOf(check: () => unknown): { code: string; errors: FieldError[] } {
  try {
    check();
  } catch (error) {
    const { code, errors = [] } = error as { code: string; errors?: FieldError[] };
    return { code, errors };
  }
  throw new Error("it was taken");
}

const bodyErrors = (operationId: string, body: unknown) =>
  errorsOf(() => contract.checkBody(operationId, body));
const queryErrors = (operationId: string, query: Record<string, unknown>) =>
  errorsOf(() => contract.checkQuery(operationId, query));

describe("a body", () => {
  it("that fits is taken", () => {
    expect(() =>
      contract.checkBody("createTenant", { name: "Acme", external_id: null }),
    ).not.toThrow();
  });

  it.each<[string, unknown, string[]]>([
    ["a missing member", {}, ["/name"]],
    ["an unknown member", { name: "Acme", colour: "red" }, ["/colour"]],
    ["each of several", { colour: "red", size: 1 }, ["/colour", "/name", "/size"]],
    ["an unknown member with a slash", { name: "Acme", "a/b~c": 1 }, ["/a~1b~0c"]],
    ["an unknown member without a name", { name: "Acme", "": 1 }, ["/"]],
    ["a member of another type", { name: 5 }, ["/name"]],
    ["a body that is no object", "Acme", [""]],
    ["a body that is null", null, [""]],
    ["a body that is a list", [], [""]],
  ])("is pointed into: %s", (_name, body, pointers) => {
    const { code, errors } = bodyErrors("createTenant", body);
    expect(code).toBe("invalid_request");
    expect(errors.map(({ pointer }) => pointer).toSorted()).toEqual(pointers);
  });

  it("is pointed into deeply", () => {
    const body = { url: "https://example.com", phone_number_ids: ["1", 5] };
    const { errors } = bodyErrors("createWebhookEndpoint", body);
    expect(errors.map(({ pointer }) => pointer)).toContain("/phone_number_ids/1");
  });

  it("is told what is wanted, in words", () => {
    const { errors } = bodyErrors("createWebhookEndpoint", {
      url: "https://example.com",
      format: "xml",
    });
    expect(errors[0]?.detail).toMatch(/^\/format .*cloud_api, event, cloudevents\.$/);
    const unknown = bodyErrors("createTenant", { name: "Acme", colour: "red" });
    expect(unknown.errors[0]?.detail).toBe("/colour is not a known member.");
  });

  it.each(["5", true, null])("is not bent into shape: a name that is %j is none", (name) => {
    const body = name === "5" ? { name: "Acme", throughput: name } : { name };
    expect(bodyErrors(name === "5" ? "createNumber" : "createTenant", body).code).toBe(
      "invalid_request",
    );
  });

  it("is free where the contract says nothing of it", () => {
    expect(() => contract.checkBody("getHealth", { any: "thing" })).not.toThrow();
    expect(() => contract.checkBody("no such operation", 5)).not.toThrow();
  });
});

describe("a query", () => {
  it("has its numbers as numbers", () => {
    expect(contract.checkQuery("listTenants", { limit: "7", external_id: "7" })).toEqual({
      limit: 7,
      external_id: "7",
    });
  });

  it("is not changed where it stands", () => {
    const query = { limit: "7" };
    contract.checkQuery("listTenants", query);
    expect(query).toEqual({ limit: "7" });
  });

  it.each<[string, Record<string, unknown>]>([
    ["a word for a number", { limit: "many" }],
    ["no text for a number", { limit: "" }],
    ["a fraction", { limit: "1.5" }],
    ["nothing at all", { limit: "0" }],
    ["less than nothing", { limit: "-1" }],
    ["too much", { limit: "100000" }],
    ["twice the same name", { limit: ["1", "2"] }],
  ])("is refused with a pointer: %s", (_name, query) => {
    const { code, errors } = queryErrors("listTenants", query);
    expect(code).toBe("invalid_parameter");
    expect(errors.map(({ pointer }) => pointer)).toEqual(["/limit"]);
  });

  it("may hold a time, and nothing that is none", () => {
    expect(() => contract.checkQuery("listEvents", { from: "2025-06-15T12:00:00Z" })).not.toThrow();
    expect(queryErrors("listEvents", { from: "yesterday" }).errors[0]?.pointer).toBe("/from");
  });
});

describe("the contract", () => {
  it("is served as it is written", () => {
    expect(contract.text).toMatch(/^openapi: 3\.1\./);
  });

  it("knows which operations take JSON", () => {
    expect(contract.takesJson("createTenant")).toBe(true);
    expect(contract.takesJson("issueToken")).toBe(false);
    expect(contract.takesJson("getHealth")).toBe(false);
  });

  it("has each operation once", () => {
    const ids = contract.operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(contract.operations).toContainEqual({
      method: "POST",
      path: "/partner/v1/tenants",
      operationId: "createTenant",
    });
  });
});
