import { createHmac, randomBytes } from "node:crypto";

/** Where the bytes of a media are; callers put 360dialog's host in place of Meta's. */
export const ATTACHMENTS_PATH = "/whatsapp_business/attachments/";

const ATTACHMENTS_ORIGIN = "https://lookaside.fbsbx.com";
const HASH_KEY = randomBytes(32);

function hashOf(phoneNumberId: string, mid: string, ext: string): string {
  const signature = createHmac("sha256", HASH_KEY).update(`${phoneNumberId} ${mid} ${ext}`);
  return `ATu${signature.digest("base64url")}`;
}

/** The URL of a look-up; `ext` is the second at which it dies. */
export function mediaUrl(phoneNumberId: string, mediaId: string, expiresMs: number): string {
  const ext = String(Math.floor(expiresMs / 1000));
  const hash = hashOf(phoneNumberId, mediaId, ext);
  return `${ATTACHMENTS_ORIGIN}${ATTACHMENTS_PATH}?mid=${mediaId}&ext=${ext}&hash=${hash}`;
}

/** The media that a URL's query names, if the URL was made for this number and still lives. */
export function checkMediaQuery(
  phoneNumberId: string,
  query: URLSearchParams,
  nowMs: number,
): string | undefined {
  const [mid, ext, hash] = ["mid", "ext", "hash"].map((name) => query.get(name) ?? "");
  const isGood = mid !== undefined && ext !== undefined && hash === hashOf(phoneNumberId, mid, ext);
  return isGood && Number(ext) * 1000 > nowMs ? mid : undefined;
}
