import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { parse } from "yaml";
import { ApiError, InvalidRequest, type FieldError } from "../errors.ts";

const OPENAPI_FILE = join(import.meta.dirname, "../../openapi/openapi.yaml");
const METHODS = ["get", "post", "put", "patch", "delete"] as const;

type Parameter = { $ref?: string; name: string; in: string; required?: boolean; schema: object };
type Operation = {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Record<string, unknown> };
};
type Document = {
  paths: Record<string, Record<string, unknown> & { parameters?: Parameter[] }>;
};

/** `openapi.yaml`: its text as it is served, and what it demands of each operation's request. */
export type Contract = {
  text: string;
  operations: { method: string; path: string; operationId: string }[];
  /** What the operation takes as JSON; `false` where it takes none, or another type. */
  takesJson(operationId: string): boolean;
  /** @throws {InvalidRequest} with a pointer to each member that is wrong */
  checkBody(operationId: string, body: unknown): void;
  /** Numbers and booleans come back as such. @throws {ApiError} `invalid_parameter` */
  checkQuery(operationId: string, query: Record<string, unknown>): Record<string, unknown>;
};

export function loadContract(): Contract {
  const text = readFileSync(OPENAPI_FILE, "utf8");
  const document = parse(text) as Document;
  const bodies = new Map<string, ValidateFunction>();
  const queries = new Map<string, ValidateFunction>();
  const operations: Contract["operations"] = [];

  const strict = createAjv(document, { coerceTypes: false });
  const coercing = createAjv(document, { coerceTypes: true });
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS.filter((name) => name in item)) {
      const operation = item[method] as Operation;
      const { operationId } = operation;
      operations.push({ method: method.toUpperCase(), path, operationId });
      if (operation.requestBody?.content["application/json"] !== undefined) {
        const pointer = [path, method, "requestBody", "content", "application/json", "schema"];
        bodies.set(operationId, strict.compile({ $ref: `openapi#/paths/${toPointer(pointer)}` }));
      }
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])];
      queries.set(operationId, coercing.compile(querySchema(parameters, document)));
    }
  }

  return {
    text,
    operations,
    takesJson: (operationId) => bodies.has(operationId),
    checkBody(operationId, body) {
      const check = bodies.get(operationId);
      if (check && !check(body)) {
        throw new InvalidRequest(fieldErrors(check));
      }
    },
    checkQuery(operationId, query) {
      const check = queries.get(operationId);
      const checked = { ...query };
      if (check && !check(checked)) {
        const errors = fieldErrors(check);
        throw new ApiError("invalid_parameter", errors.map((error) => error.detail).join(" "), {
          errors,
        });
      }
      return checked;
    },
  };
}

function createAjv(document: Document, options: { coerceTypes: boolean }): Ajv2020 {
  const ajv = new Ajv2020({ strict: false, allErrors: true, ...options });
  addFormats.default(ajv);
  // Not compiled as a schema itself: it only holds the ones that are referred to.
  ajv.addSchema({ $id: "openapi", ...document });
  return ajv;
}

function querySchema(parameters: Parameter[], document: Document): object {
  const resolved = parameters.map((parameter) =>
    parameter.$ref === undefined ? parameter : (follow(document, parameter.$ref) as Parameter),
  );
  const inQuery = resolved.filter((parameter) => parameter.in === "query");
  return {
    type: "object",
    properties: Object.fromEntries(inQuery.map(({ name, schema }) => [name, absoluteRefs(schema)])),
    required: inQuery.filter(({ required }) => required).map(({ name }) => name),
  };
}

function absoluteRefs(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"openapi#/')) as object;
}

function follow(document: Document, ref: string): unknown {
  return ref
    .slice(2)
    .split("/")
    .reduce<unknown>(
      (node, key) => (node as Record<string, unknown>)[key.replaceAll("~1", "/")],
      document,
    );
}

function toPointer(parts: string[]): string {
  return parts.map((part) => encodeURIComponent(escapeToken(part))).join("/");
}

/** RFC 6901, section 3. */
function escapeToken(part: string): string {
  return part.replaceAll("~", "~0").replaceAll("/", "~1");
}

function fieldErrors(check: ValidateFunction): FieldError[] {
  return (check.errors ?? []).map((error) => {
    const extra = error.params["additionalProperty"] ?? error.params["missingProperty"];
    const pointer =
      error.instancePath + (typeof extra === "string" ? `/${escapeToken(extra)}` : "");
    const allowed = error.params["allowedValues"] as unknown[] | undefined;
    const wanted = allowed ? `${error.message}: ${allowed.join(", ")}` : (error.message ?? "wrong");
    const name = error.keyword === "additionalProperties" ? "is not a known member" : wanted;
    return { code: error.keyword, pointer, detail: `${pointer || "The body"} ${name}.` };
  });
}
