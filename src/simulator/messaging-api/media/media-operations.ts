import { MetaRefusal, objectUnknown } from "../answers/meta-errors.ts";
import { endpointLimitError } from "../answers/own-answer.ts";
import { proxied, proxiedBytes, proxiedError } from "../answers/proxied-answer.ts";
import type { Operation, OperationRow } from "../operation.ts";
import { FailingLookUps, type LookUpBlock } from "./failing-look-ups.ts";
import type { MediaStore } from "./media-store.ts";
import { ATTACHMENTS_PATH, checkMediaQuery, mediaUrl } from "./media-url.ts";
import { uploadMedia } from "./upload-media.ts";

function lookUp(media: MediaStore, urlLifetimeMs: number): Operation {
  return proxied(async ({ phoneNumber: { phoneNumberId }, ids: [id = ""] }) => {
    const found = media.find(phoneNumberId, id);
    if (found === undefined) {
      throw new MetaRefusal(objectUnknown("get", id));
    }
    return {
      url: mediaUrl(phoneNumberId, id, Date.now() + urlLifetimeMs),
      mime_type: found.mimeType,
      sha256: await found.sha256,
      file_size: found.bytes.length,
      id,
      messaging_product: "whatsapp",
    };
  });
}

/** Counts the look-ups that fail, and stops them all when there are too many. */
function guarded(lookUpMedia: Operation, failing: FailingLookUps): Operation {
  return async (call) => {
    const { phoneNumberId } = call.phoneNumber;
    if (failing.isBlocked(phoneNumberId, Date.now())) {
      return endpointLimitError("A");
    }
    const answer = await lookUpMedia(call);
    if (answer.status >= 400) {
      failing.noteFailure(phoneNumberId, Date.now());
    }
    return answer;
  };
}

function download(media: MediaStore): Operation {
  return ({ phoneNumber: { phoneNumberId, wabaId }, query }) => {
    const id = checkMediaQuery(phoneNumberId, query, Date.now());
    const found = id === undefined ? undefined : media.find(phoneNumberId, id);
    return found === undefined
      ? proxiedError({ ...objectUnknown("get", query.get("mid") ?? ""), status: 404 }, wabaId)
      : proxiedBytes(found.bytes, found.mimeType, wabaId);
  };
}

function remove(media: MediaStore): Operation {
  return proxied(({ phoneNumber, ids: [id = ""] }) => {
    if (!media.delete(phoneNumber.phoneNumberId, id)) {
      throw new MetaRefusal(objectUnknown("delete", id));
    }
    return { success: true };
  });
}

/** Media: up, looked up, down and deleted. */
export function mediaOperations(parts: {
  media: MediaStore;
  urlLifetimeMs: number;
  lookUpBlock: LookUpBlock | "never";
}): OperationRow[] {
  const { media, urlLifetimeMs, lookUpBlock } = parts;
  const failing = new FailingLookUps(lookUpBlock);
  return [
    ["POST", "/media", uploadMedia(media)],
    ["GET", "/{digits}", guarded(lookUp(media, urlLifetimeMs), failing)],
    ["DELETE", "/{digits}", remove(media)],
    ["GET", ATTACHMENTS_PATH, download(media)],
  ];
}
