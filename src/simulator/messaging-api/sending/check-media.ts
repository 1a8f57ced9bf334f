import { valueNotValid } from "../answers/meta-errors.ts";
import type { MediaStore } from "../media/media-store.ts";
import { mediaIdsIn } from "./media-in-message.ts";
import type { CheckSend } from "./post-messages.ts";

/** Refuses media ids that the number does not have. A link is not looked at: Meta fetches it later. */
export function checkMedia(media: MediaStore): CheckSend {
  return ({ phoneNumberId }, _message, body) => {
    const unknown = mediaIdsIn(body).find((id) => media.find(phoneNumberId, id) === undefined);
    return unknown === undefined
      ? undefined
      : valueNotValid(`Media with id ${unknown} was not found for this phone number.`);
  };
}
