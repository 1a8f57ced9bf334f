import { randomUUID } from "node:crypto";
import {
  MetaRefusal,
  objectUnknown,
  parameterInvalid,
  parameterRequired,
} from "../answers/meta-errors.ts";
import { proxied } from "../answers/proxied-answer.ts";
import type { OperationCall, OperationRow } from "../operation.ts";
import { parameters } from "../parameters.ts";

type Session = { phoneNumberId: string; id: string; length: number; offset: number };

const SESSIONS_MAX = 10_000;

/** The sessions of resumable uploads. What is uploaded is counted only: a handle leads nowhere. */
class UploadSessions {
  readonly #byId = new Map<string, Session>();

  start(phoneNumberId: string, length: number): Session {
    const id = Buffer.from(`1:attachment:${randomUUID()}`).toString("base64url");
    const session = { phoneNumberId, id, length, offset: 0 };
    this.#byId.set(id, session);
    const [oldest] = this.#byId.keys();
    if (this.#byId.size > SESSIONS_MAX && oldest !== undefined) {
      this.#byId.delete(oldest);
    }
    return session;
  }

  get(method: string, { phoneNumber, ids: [id = ""] }: OperationCall): Session {
    const session = this.#byId.get(id);
    if (session?.phoneNumberId !== phoneNumber.phoneNumberId) {
      throw new MetaRefusal(objectUnknown(method, `upload:${id}`));
    }
    return session;
  }
}

function start(sessions: UploadSessions, call: OperationCall) {
  const fields = parameters(call);
  const length = Number(fields["file_length"]);
  if (!Number.isSafeInteger(length) || length <= 0) {
    throw new MetaRefusal(parameterRequired("file_length"));
  }
  if (typeof fields["file_type"] !== "string" || fields["file_type"] === "") {
    throw new MetaRefusal(parameterRequired("file_type"));
  }
  return { id: `upload:${sessions.start(call.phoneNumber.phoneNumberId, length).id}` };
}

function takeBytes(sessions: UploadSessions, call: OperationCall) {
  const session = sessions.get("post", call);
  const offset = Number(call.headers["file_offset"] ?? NaN);
  if (offset !== session.offset || offset + call.body.length > session.length) {
    throw new MetaRefusal(
      parameterInvalid(`file_offset must be ${session.offset} of ${session.length} bytes.`),
    );
  }
  session.offset += call.body.length;
  return session.offset === session.length
    ? { h: `2:${Buffer.from(`${session.id}:${session.length}`).toString("base64")}` }
    : { id: `upload:${session.id}`, file_offset: session.offset };
}

/** Resumable uploads, whose handles templates and profile photos name. */
export function uploadOperations(): OperationRow[] {
  const sessions = new UploadSessions();
  return [
    ["POST", "/uploads", proxied((call) => start(sessions, call))],
    ["POST", "/upload:{id}", proxied((call) => takeBytes(sessions, call))],
    [
      "GET",
      "/upload:{id}",
      proxied((call) => {
        const { id, offset } = sessions.get("get", call);
        return { id: `upload:${id}`, file_offset: offset };
      }),
    ],
  ];
}
