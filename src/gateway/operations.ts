/** One operation of the WhatsApp API that a tenant may call. */
export type Operation = {
  operationId: string;
  method: string;
  /** In 360dialog's form; `{…}` stands for one segment. */
  path: string;
  /** Where 360dialog offers it: its renamings of Meta's paths. */
  upstreamPath: string;
  /** Whose it is: of one number, of a WABA through any of its numbers, or of a media id. */
  level: "number" | "waba" | "media";
  scope: string;
  /**
   * `send`: it may reach a person, so it is written upstream at most once and has a message id.
   * `webhook_settings`: answered here and never forwarded.
   */
  kind: "send" | "call" | "webhook_settings";
};

/** What tenants may call; what is not a row is `unknown_operation`. */
export const OPERATIONS: readonly Operation[] = [
  row("sendMessage", "POST", "/messages", "number", "messages:send", "send"),
  row("getHealthStatus", "GET", "/health_status", "number", "numbers:read", "call"),
  row(
    "getWebhookSettings",
    "GET",
    "/v1/configs/webhook",
    "number",
    "webhooks:read",
    "webhook_settings",
  ),
  row(
    "setWebhookSettings",
    "POST",
    "/v1/configs/webhook",
    "number",
    "webhooks:write",
    "webhook_settings",
  ),
];

function row(
  operationId: string,
  method: string,
  path: string,
  level: Operation["level"],
  scope: string,
  kind: Operation["kind"],
  upstreamPath: string = path,
): Operation {
  return { operationId, method, path, upstreamPath, level, scope, kind };
}

/** Stands for an id in a shape; no path can hold it. */
const ANY_ID = "\0";

const BY_SHAPE = new Map(
  OPERATIONS.map((operation) => [
    `${operation.method} ${operation.path.replaceAll(/\{\w+\}/g, ANY_ID)}`,
    operation,
  ]),
);

/** A segment that stands for an id: nothing that could climb or be read as another path. */
const ID_SEGMENT = /^(?!\.+$)[\w.:~+=-]{1,512}$/;

/** The row for a method and a path, or `undefined`. A row without ids comes before one with. */
export function findOperation(
  method: string,
  segments: readonly string[],
): { operation: Operation; upstreamPath: string } | undefined {
  for (const shape of shapesOf(segments)) {
    const operation = BY_SHAPE.get(`${method} /${shape.join("/")}`);
    if (operation !== undefined) {
      const ids = segments.filter((_, index) => shape[index] === ANY_ID);
      const upstreamPath = operation.upstreamPath.replaceAll(/\{\w+\}/g, () => ids.shift() ?? "");
      return { operation, upstreamPath };
    }
  }
  return undefined;
}

const SEGMENTS_MAX = 4;

/** The path as written, then with each choice of its segments taken for an id. */
function shapesOf(segments: readonly string[]): string[][] {
  if (segments.length === 0 || segments.length > SEGMENTS_MAX) {
    return [];
  }
  return segments.reduce<string[][]>(
    (shapes, segment) => [
      ...shapes.map((shape) => [...shape, segment]),
      ...(ID_SEGMENT.test(segment) ? shapes.map((shape) => [...shape, ANY_ID]) : []),
    ],
    [[]],
  );
}
