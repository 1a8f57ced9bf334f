import { ApiError } from "../errors.ts";
import { MESSAGE_ID_HEADER } from "./headers.ts";

export function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof ApiError && error.code === "outcome_unknown";
}

/** A send that was written, or may have been, and whose answer nobody has. It is not sent again. */
export function outcomeUnknown(
  messageId: string,
  options: { headers?: Record<string, string>; cause?: unknown } = {},
): ApiError {
  return new ApiError(
    "outcome_unknown",
    "It was sent to 360dialog and no answer came. It is not sent again; a status may still tell.",
    {
      ...options,
      headers: { ...options.headers, [MESSAGE_ID_HEADER]: messageId },
      members: { message_id: messageId },
    },
  );
}
