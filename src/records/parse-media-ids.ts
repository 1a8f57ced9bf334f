import type { FollowedEvent } from "./follow-events.ts";
import type { SeenMediaId } from "./media-ids.ts";

const LISTS: Readonly<Record<string, string>> = {
  "message.received": "messages",
  "message.echo": "message_echoes",
};
/** The events that name media, by type. */
export const NAMES_MEDIA = Object.keys(LISTS);
const MEDIA_TYPES = ["image", "video", "audio", "document", "sticker"];
const MEDIA_ID = /^[\w.-]{1,128}$/;

export function isMediaId(value: unknown): value is string {
  return typeof value === "string" && MEDIA_ID.test(value);
}

/** The media ids that a message names, also one that was edited. */
export function mediaIdsOf(
  event: Pick<FollowedEvent, "tenantId" | "type" | "phoneNumberId" | "value">,
): SeenMediaId[] {
  const { tenantId, phoneNumberId, value } = event;
  const list = LISTS[event.type];
  if (list === undefined || phoneNumberId === null) {
    return [];
  }
  const messages = member(value, list);
  const found = Array.isArray(messages)
    ? messages.flatMap((message: unknown) => [
        ...idsIn(message),
        ...idsIn(member(member(message, "edit"), "message")),
      ])
    : [];
  return found.map((mediaId) => ({ tenantId, phoneNumberId, mediaId }));
}

function idsIn(message: unknown): string[] {
  return MEDIA_TYPES.map((type) => member(member(message, type), "id")).filter(isMediaId);
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
