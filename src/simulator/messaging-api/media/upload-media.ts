import {
  MetaRefusal,
  parameterInvalid,
  parameterNotOneOf,
  parameterRequired,
} from "../answers/meta-errors.ts";
import { proxied } from "../answers/proxied-answer.ts";
import type { Operation } from "../operation.ts";
import type { MediaStore } from "./media-store.ts";
import { type FormPart, parseMultipart } from "./multipart.ts";

const TYPE_UNKNOWN = "application/octet-stream";

function mimeTypeOf(file: FormPart, typeField: string | undefined): string {
  const own = file.contentType;
  // Some clients leave the part's type to their HTTP library, which knows nothing better.
  return own !== undefined && own !== TYPE_UNKNOWN ? own : (typeField ?? own ?? TYPE_UNKNOWN);
}

/** `POST /media`: a form with the file, in any order of its parts. */
export function uploadMedia(media: MediaStore): Operation {
  return proxied(({ phoneNumber, query, headers, body }) => {
    const parts = parseMultipart(body, headers["content-type"] ?? "");
    const field = (name: string) =>
      parts.find((part) => part.name === name)?.bytes.toString() ?? query.get(name) ?? undefined;
    const product = field("messaging_product");
    if (product === undefined) {
      throw new MetaRefusal(parameterRequired("messaging_product"));
    }
    if (product !== "whatsapp") {
      throw new MetaRefusal(parameterNotOneOf("messaging_product", ["whatsapp"], product));
    }
    const file = parts.find(({ name }) => name === "file");
    if (file === undefined) {
      throw new MetaRefusal(parameterRequired("file"));
    }
    if (file.bytes.length === 0) {
      throw new MetaRefusal(parameterInvalid("The file is empty."));
    }
    const { bytes, filename } = file;
    const mimeType = mimeTypeOf(file, field("type"));
    const named = filename === undefined ? {} : { filename };
    return { id: media.add(phoneNumber.phoneNumberId, { bytes, mimeType, ...named }) };
  });
}
