import { ApiError } from "../errors.ts";

/** A send that was written, or may have been, and whose answer nobody has. It is not sent again. */
export function outcomeUnknown(
  messageId: string,
  options: { headers?: Record<string, string>; cause?: unknown } = {},
): ApiError {
  return new ApiError(
    "outcome_unknown",
    "It was sent to 360dialog and no answer came. It is not sent again; a status may still tell.",
    { ...options, members: { message_id: messageId } },
  );
}
