import { getHealthStatus } from "./get-health-status.ts";
import type { Operation } from "./operation.ts";
import { postMessages } from "./post-messages.ts";
import { getWebhook, setWebhook } from "./webhook-settings.ts";

/** The allow-list: every call that this simulator knows. Anything else is blocked. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ["POST /messages", postMessages],
  ["GET /health_status", getHealthStatus],
  ["GET /v1/configs/webhook", getWebhook],
  ["POST /v1/configs/webhook", setWebhook],
]);

/** Whether the path exists under any method. */
export function isKnownPath(path: string): boolean {
  return [...OPERATIONS.keys()].some((operation) => operation.endsWith(` ${path}`));
}
