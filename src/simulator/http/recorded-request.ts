import type { IncomingHttpHeaders } from "node:http";

/** One Messaging API call as it came in. */
export type RecordedRequest = {
  method: string;
  /** Path and query, as sent. */
  url: string;
  /** Names and values in turn, as sent. */
  rawHeaders: readonly string[];
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** False when the caller went away within the body. */
  complete: boolean;
  receivedAt: Date;
  /** The number whose key came with the call, if it was a living one. */
  phoneNumberId?: string;
  /** What was answered; absent when nothing was. */
  status?: number;
};
