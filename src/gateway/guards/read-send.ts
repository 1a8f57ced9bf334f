import type { DirectoryNumber } from "../../tenancy/directory.ts";
import { parseUser } from "../../records/users.ts";

/** A send that is about to be made; `message` is its parsed body, `undefined` if unreadable. */
export type Send = {
  tenantId: string;
  number: DirectoryNumber;
  operation: string;
  recipient: string | undefined;
  message: Record<string, unknown> | undefined;
};

/** What guards look at. */
export type Subject = {
  /** The recipient under each of its names: phone number, BSUID. */
  users: readonly [string, ...string[]];
  /** `opaque`: what it says is encrypted, so only its recipient can be judged. */
  kind: "free_form" | "template" | "opaque";
  /** Of a template that is named as templates are. */
  template: { name: string; language: string } | undefined;
  /** What this operation sends is marketing, whatever the template's category. */
  marketing: boolean;
};

export type ReadSend = { kind: "subject"; subject: Subject } | { kind: "passed"; why: string };

/** Operations whose body is a message in clear. */
const MESSAGES: ReadonlySet<string> = new Set(["sendMessage", "sendMarketingMessage"]);

/** What cannot be judged passes: 360dialog judges it, as everything. */
export function readSend({ operation, recipient, message }: Send): ReadSend {
  if (message === undefined) {
    return passed("The body cannot be read.");
  }
  if (message["recipient_type"] === "group") {
    return passed("It goes to a group.");
  }
  const named = [recipient, message["recipient"]].map(parseUser);
  const [first, ...others] = new Set(named.filter((user) => user !== undefined));
  if (first === undefined) {
    return passed("It names no user.");
  }
  const isTemplate = message["type"] === "template";
  return {
    kind: "subject",
    subject: {
      users: [first, ...others],
      kind: !MESSAGES.has(operation) ? "opaque" : isTemplate ? "template" : "free_form",
      template: isTemplate ? templateOf(message["template"]) : undefined,
      marketing: operation === "sendMarketingMessage",
    },
  };
}

function passed(why: string): ReadSend {
  return { kind: "passed", why };
}

function templateOf(value: unknown): Subject["template"] {
  const template = value as { name?: unknown; language?: { code?: unknown } } | null | undefined;
  const name = template?.name;
  const language = template?.language?.code;
  return isKey(name) && isKey(language) ? { name, language } : undefined;
}

function isKey(value: unknown): value is string {
  return typeof value === "string" && !value.includes("\0");
}
