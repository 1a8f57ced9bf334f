import { isObject } from "../../json.ts";

const MEDIA_BLOCKS = ["image", "video", "audio", "document", "sticker"];

/** The media ids that a message names, in its own block or in any header or card of it. */
export function mediaIdsIn(value: unknown): string[] {
  if (Array.isArray(value)) {
    return value.flatMap(mediaIdsIn);
  }
  if (!isObject(value)) {
    return [];
  }
  return Object.entries(value).flatMap(([name, member]) => {
    const id = MEDIA_BLOCKS.includes(name) && isObject(member) ? member["id"] : undefined;
    const own = typeof id === "string" || typeof id === "number" ? [String(id)] : [];
    return [...own, ...mediaIdsIn(member)];
  });
}
