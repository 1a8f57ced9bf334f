import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { parse } from "yaml";

type Content = Record<string, { schema?: object }>;
type ResponseObject = { $ref?: string; content?: Content };
type OpenApi = {
  paths: Record<string, Record<string, { responses?: Record<string, ResponseObject> }>>;
};

const file = join(import.meta.dirname, "../../openapi/openapi.yaml");
export const openApi = parse(readFileSync(file, "utf8")) as OpenApi;
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema({ $id: "openapi", ...openApi });
const compiled = new Map<string, ValidateFunction>();

const templates = Object.keys(openApi.paths)
  .toSorted((left, right) => left.split("{").length - right.split("{").length)
  .map((path) => ({
    path,
    form: new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`),
  }));

/**
 * Throws unless `openapi.yaml` foresees this status, content type and body for the operation. What
 * is no operation of it (an unknown path) is not judged.
 */
export function checkAnswer(
  call: { method: string; path: string },
  answer: { status: number; contentType: string; body: Buffer },
): void {
  const pathname = call.path.replace(/\?.*$/, "");
  // On a port of its own, where `/{media_id}` is not.
  if (pathname === "/metrics") {
    return;
  }
  const path = templates.find(({ form }) => form.test(pathname))?.path ?? "";
  const method = call.method.toLowerCase();
  const responses = openApi.paths[path]?.[method]?.responses;
  if (responses === undefined) {
    return;
  }
  const name = `${call.method} ${path} ${answer.status}`;
  const status = String(answer.status);
  const key = [status, `${status[0]}XX`, "default"].find((each) => each in responses);
  if (key === undefined) {
    throw new Error(`${name}: openapi.yaml foresees no such status`);
  }
  const ref = responses[key]?.$ref;
  const response = ref === undefined ? responses[key] : (follow(ref) as ResponseObject);
  const content = response?.content ?? {};
  const mediaType = answer.contentType.replace(/;.*$/, "");
  if (Object.keys(content).length === 0) {
    if (answer.body.length > 0) {
      throw new Error(
        `${name}: openapi.yaml foresees no body, there was ${answer.body.toString()}`,
      );
    }
    return;
  }
  if (!(mediaType in content)) {
    throw new Error(
      `${name}: openapi.yaml foresees ${Object.keys(content).join(", ")}, not ${mediaType}`,
    );
  }
  if (!mediaType.includes("json")) {
    return;
  }
  const base = ref?.slice(2).split("/") ?? ["paths", path, method, "responses", key];
  const pointer = [...base, "content", mediaType, "schema"]
    .map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1")))
    .join("/");
  const check = compiled.get(pointer) ?? ajv.compile({ $ref: `openapi#/${pointer}` });
  compiled.set(pointer, check);
  if (!check(JSON.parse(answer.body.toString("utf8")))) {
    throw new Error(`${name}: ${ajv.errorsText(check.errors)}: ${answer.body.toString()}`);
  }
}

function follow(ref: string): unknown {
  return ref
    .slice(2)
    .split("/")
    .reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], openApi);
}
