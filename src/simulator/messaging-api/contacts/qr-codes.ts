import { randomHex } from "../../ids.ts";
import { type JsonObject, textIn } from "../../json.ts";
import { PerOwner } from "../../per-owner.ts";
import {
  MetaRefusal,
  objectUnknown,
  parameterRequired,
  parameterTooLong,
} from "../answers/meta-errors.ts";
import { proxied } from "../answers/proxied-answer.ts";
import type { OperationCall, OperationRow } from "../operation.ts";
import { parameters } from "../parameters.ts";

const MESSAGE_CHARACTERS_MAX = 140;

type QrCode = {
  code: string;
  prefilled_message: string;
  deep_link_url: string;
  qr_image_url?: string;
};

/** The code to be changed, or a new one. */
function codeIn(codes: Map<string, QrCode>, { ids }: OperationCall, fields: JsonObject): string {
  const code = ids[0] ?? textIn(fields, "code");
  if (code !== undefined && !codes.has(code)) {
    throw new MetaRefusal(objectUnknown("post", code));
  }
  return code ?? randomHex(14).toUpperCase();
}

function write(codes: Map<string, QrCode>, call: OperationCall): QrCode {
  const fields = parameters(call);
  const code = codeIn(codes, call, fields);
  const message = textIn(fields, "prefilled_message");
  const image = textIn(fields, "generate_qr_image")?.toLowerCase();
  if (message === undefined) {
    throw new MetaRefusal(parameterRequired("prefilled_message"));
  }
  if (message.length > MESSAGE_CHARACTERS_MAX) {
    throw new MetaRefusal(parameterTooLong("prefilled_message", MESSAGE_CHARACTERS_MAX));
  }
  const qrCode: QrCode = {
    code,
    prefilled_message: message,
    deep_link_url: `https://wa.me/message/${code}`,
    ...(image === undefined
      ? {}
      : { qr_image_url: `https://scontent.xx.fbcdn.net/qr/${code}.${image}` }),
  };
  codes.set(code, qrCode);
  return qrCode;
}

/** `/message_qrdls`: codes that open a chat with a text in it. */
export function qrCodeOperations(): OperationRow[] {
  const kept = new PerOwner(() => new Map<string, QrCode>());
  const codesOf = ({ phoneNumber }: OperationCall) => kept.of(phoneNumber.phoneNumberId);
  const writeCode = proxied((call) => write(codesOf(call), call));
  return [
    ["GET", "/message_qrdls", proxied((call) => ({ data: [...codesOf(call).values()] }))],
    ["POST", "/message_qrdls", writeCode],
    ["POST", "/message_qrdls/{code}", writeCode],
    [
      "GET",
      "/message_qrdls/{code}",
      proxied((call) => {
        const code = codesOf(call).get(call.ids[0] ?? "");
        return { data: code === undefined ? [] : [code] };
      }),
    ],
    [
      "DELETE",
      "/message_qrdls/{code}",
      proxied((call) => {
        const [code = ""] = call.ids;
        if (!codesOf(call).delete(code)) {
          throw new MetaRefusal(objectUnknown("delete", code));
        }
        return { success: true };
      }),
    ],
  ];
}
