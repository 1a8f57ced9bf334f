const LOOPBACK = /^(localhost|127(?:\.\d+){3}|\[::1\])$/;

/** Why 360dialog would not take this webhook URL; undefined when it would. */
export function checkWebhookUrl(
  url: string,
  { allowLoopback }: { allowLoopback: boolean },
): string | undefined {
  if (!URL.canParse(url)) {
    return "url is not a valid URL";
  }
  const { protocol, hostname } = new URL(url);
  if (allowLoopback && LOOPBACK.test(hostname) && /^https?:$/.test(protocol)) {
    return undefined;
  }
  if (protocol !== "https:") {
    return "url must use https";
  }
  if (hostname.includes("_")) {
    return "url must not have an underscore in its domain";
  }
  // Read from the text: the parsed URL no longer shows a port that is the default one.
  const authority = /^https:[\\/]*([^\\/?#]*)/i.exec(url.trim())?.[1] ?? "";
  return /:\d*$/.test(authority) ? "url must not have a port in its domain" : undefined;
}
