import { hash } from "node:crypto";
import { parseLoosely } from "../../dialog360/messaging.ts";

/** One POST to the partner's webhook: `{ id, event, data }` (360dialog's page on partner webhooks). */
export type PartnerEvent = {
  /** 360dialog's word, such as `channel_running`; `unknown` where it says none. */
  event: string;
  /** What repeats have in common: of 360dialog's id, or of the whole body where there is none. */
  identity: Buffer;
  hubClientId: string | null;
  channelId: string | null;
  data: Record<string, unknown>;
};

/** Never throws: what is not understood is kept all the same. */
export function parsePartnerEvent(body: Buffer): PartnerEvent {
  const { id, event, data: given } = fieldsOf(parseLoosely(body));
  const data = fieldsOf(given);
  const name = textOf(event) ?? "unknown";
  const eventId = textOf(id);
  const parts = eventId === null ? [name, hash("sha256", body)] : [name, eventId];
  const isOfClient = name.startsWith("client_");
  return {
    event: name,
    identity: hash("sha256", JSON.stringify(parts), "buffer"),
    hubClientId:
      textOf(data["client_id"]) ??
      textOf(fieldsOf(data["client"])["id"]) ??
      (isOfClient ? textOf(data["id"]) : null),
    // Of what is about a channel `data` is the channel itself.
    channelId: textOf(data["channel_id"]) ?? (isOfClient ? null : textOf(data["id"])),
    data,
  };
}

const TEXT_CHARACTERS_MAX = 200;

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== ""
    ? // PostgreSQL's text takes no NUL.
      value.slice(0, TEXT_CHARACTERS_MAX).replaceAll("\0", "\uFFFD")
    : null;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
